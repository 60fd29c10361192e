"""Slipway: deploys of Dockerised Python web apps that can be trusted."""
