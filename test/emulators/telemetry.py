"""Reads what the engine tells with the parsers of others, and prints it as JSON."""

import base64
import json
import sys


def metrics(text):
    from prometheus_client.parser import text_string_to_metric_families

    return [
        {
            "name": family.name,
            "type": family.type,
            "help": family.documentation,
            "samples": [
                {"name": sample.name, "labels": sample.labels, "value": sample.value}
                for sample in family.samples
            ],
        }
        for family in text_string_to_metric_families(text)
    ]


def spans(text):
    from google.protobuf.json_format import Parse
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    body = json.loads(text)
    # OTLP writes ids in hex digits, where the JSON of protobuf has base64 for bytes.
    for resource in body["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                for key in ("traceId", "spanId", "parentSpanId"):
                    if key in span:
                        span[key] = base64.b64encode(bytes.fromhex(span[key])).decode()
    # A field that the message does not have is an error here.
    request = Parse(json.dumps(body), ExportTraceServiceRequest())
    return [
        {
            "service": next(a.value.string_value for a in resource.resource.attributes if a.key == "service.name"),
            "traceId": span.trace_id.hex(),
            "spanId": span.span_id.hex(),
            "parentSpanId": span.parent_span_id.hex(),
            "name": span.name,
            "kind": span.kind,
            "nanoseconds": span.end_time_unix_nano - span.start_time_unix_nano,
            "start": span.start_time_unix_nano,
            "status": span.status.code,
            "attributes": {a.key: getattr(a.value, a.value.WhichOneof("value")) for a in span.attributes},
        }
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


print(json.dumps({"metrics": metrics, "spans": spans}[sys.argv[1]](sys.stdin.read())))
