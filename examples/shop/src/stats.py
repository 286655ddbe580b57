"""GET /stats?prices=2400,900,5200: what the numbers have in common."""
import json
import statistics


def summary(event, context):
    text = (event.get("queryStringParameters") or {}).get("prices", "")
    try:
        prices = [int(part) for part in text.split(",") if part != ""]
    except ValueError:
        return answer(400, {"error": "prices are whole numbers with commas between them"})
    if not prices:
        return answer(400, {"error": "send ?prices=2400,900,5200"})
    print(f"{len(prices)} prices")
    return answer(200, {"count": len(prices), "mean": statistics.mean(prices), "median": statistics.median(prices)})


def answer(status, value):
    return {"statusCode": status, "headers": {"content-type": "application/json"}, "body": json.dumps(value)}
