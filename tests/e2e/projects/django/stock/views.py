"""Health, and a list of what is in stock."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from stock.models import Item

VERSION = "1"


def health(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok", "version": VERSION, "items": Item.objects.count()})


@csrf_exempt
def items(request: HttpRequest) -> JsonResponse:
    if request.method == "POST":
        name = request.POST.get("name", "").strip()
        if not name:
            return JsonResponse({"error": "name is missing"}, status=400)
        Item.objects.create(name=name)
    return JsonResponse({"items": [item.name for item in Item.objects.order_by("id")]})
