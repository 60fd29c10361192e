"""What is in stock."""

from django.db import models


class Item(models.Model):
    """One thing."""

    name = models.CharField(max_length=100)
