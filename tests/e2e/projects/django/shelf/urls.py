"""The site's addresses."""

from django.urls import path
from stock import views

urlpatterns = [
    path("health/", views.health),
    path("items/", views.items),
]
