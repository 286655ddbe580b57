"""The inside of an instance of a Python handler. Standard library only, Python 3.9 or newer.

Started by the engine in the folder of the version's files. Frames come and go over descriptor 4: four bytes of length,
big endian, then JSON.

    in    {"handler": "src/stats.handler", "mark": "...", "context": {...}, "events": "http://127.0.0.1:4100/..." or null}
          {"id": 1, "requestId": "...", "deadline": 1700000000000, "depth": 0, "trace": "", "event": ...}
    out   {"ready": "3.11.7"} or {"unloadable": "..."}
          {"id": 1, "result": ...} or {"id": 1, "error": "..."}, each with "marked": [1, 2]

One call at a time. After each, a mark is written to standard output and error, so that the engine knows which lines were
of this call; "marked" says to which of them it could be written.
"""

import gc
import importlib
import importlib.util
import json
import os
import struct
import sys
import time

CHANNEL = 4
ROOT = os.path.realpath(os.getcwd()) + os.sep


class Context:
    """Second parameter of a handler, with the names of AWS Lambda and those of sfx."""

    identity = None
    client_context = None

    def __init__(self, fixed, call):
        self.function_name = fixed["function"]
        self.function_version = fixed["version"]
        self.memory_limit_in_mb = str(fixed["memory"])
        self.release = fixed["release"]
        self.service = fixed["service"]
        self.stage = fixed["stage"]
        self.invoked_function_arn = "arn:aws:lambda:local:000000000000:function:" + fixed["function"]
        self.log_group_name = fixed["function"]
        self.log_stream_name = fixed["version"]
        self.aws_request_id = call["requestId"]
        self.request_id = call["requestId"]
        self.depth = call["depth"]
        self.trace = call["trace"]
        self._deadline = call["deadline"]

    def get_remaining_time_in_millis(self):
        """Milliseconds until the engine gives up on this call; never below 0."""
        return max(0, int(self._deadline - time.time() * 1000))

    def log(self, message):
        """One line for the function's log."""
        print(message, flush=True)


class Channel:
    """Frames over one descriptor, which no process that the handler starts inherits."""

    def __init__(self, fd):
        os.set_inheritable(fd, False)
        self._in = open(fd, "rb", closefd=False)
        self._out = open(fd, "wb", closefd=False)

    def read(self):
        """The next frame; None when the engine is gone."""
        head = self._in.read(4)
        if len(head) < 4:
            return None
        size = struct.unpack(">I", head)[0]
        body = self._in.read(size)
        return None if len(body) < size else json.loads(body)

    def write(self, text):
        body = text.encode("ascii")
        self._out.write(struct.pack(">I", len(body)) + body)
        self._out.flush()


def plain(value):
    """What JSON has no form for. Numbers of databases become numbers."""
    if type(value).__name__ == "Decimal":
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def dumps(value):
    return json.dumps(value, default=plain, allow_nan=False, separators=(",", ":"))


def inside(path):
    """Whether it is a file of the user's."""
    return not path.startswith("<") and os.path.realpath(path).startswith(ROOT)


def short(path):
    return os.path.realpath(path)[len(ROOT):]


def describe(error):
    """Kind, message, and the last line of the user's own code: `KeyError: 'id' (at src/stats.py:7)`."""
    import traceback

    place = None
    for frame in traceback.extract_tb(error.__traceback__):
        if inside(frame.filename):
            place = (frame.filename, frame.lineno)
    if isinstance(error, SyntaxError) and inside(error.filename or ""):
        place = (error.filename, error.lineno)
    at = f" (at {short(place[0])}:{place[1]})" if place else ""
    message = error.msg if isinstance(error, SyntaxError) else str(error)
    name = type(error).__name__
    return f"{name}: {message}{at}" if message else f"{name}{at}"


def tell(error):
    """The traceback to standard error, without the lines of this file and of the import machinery."""
    import traceback

    trace = error.__traceback__
    while trace is not None and (
        trace.tb_frame.f_code.co_filename == __file__
        or trace.tb_frame.f_code.co_filename.startswith("<frozen importlib")
        or trace.tb_frame.f_code.co_filename == importlib.__file__
    ):
        trace = trace.tb_next
    text = "".join(traceback.format_exception(type(error), error, trace))
    try:
        sys.stderr.write(text.replace(ROOT, ""))
    except (OSError, ValueError, AttributeError):
        os.write(2, text.replace(ROOT, "").encode("utf-8", "replace"))


def load(name):
    """The handler `path/to/module.function`, the path with `/` from the folder of the files."""
    path, _, function = name.rpartition(".")
    if path == "":
        raise ImportError(f"the handler {name!r} is not of the form path/to/module.function")
    module = importlib.import_module(path.replace("/", "."))
    if not hasattr(module, function):
        raise AttributeError(f"{path}.py has no {function!r}")
    handler = getattr(module, function)
    if not callable(handler):
        raise TypeError(f"{function!r} of {path}.py is not a function but {type(handler).__name__}")
    return handler


class Runner:
    """Awaits what an async handler returns, in one event loop for all calls, so that its connections live on."""

    loop = None

    def result(self, value):
        if not hasattr(value, "__await__"):
            return value
        import asyncio

        if self.loop is None:
            self.loop = asyncio.new_event_loop()
            asyncio.set_event_loop(self.loop)

        async def whole():
            return await value

        return self.loop.run_until_complete(whole())


class Marked:
    """Where the engine's own address is called, the call chain's depth and trace go with the request."""

    def __init__(self, events):
        self.depth = 0
        self.trace = ""
        self.address = None
        if events:
            from urllib.parse import urlsplit

            url = urlsplit(events)
            self.address = (url.hostname, url.port)
            sys.meta_path.insert(0, self)

    def find_spec(self, name, path=None, target=None):
        """Called for each import until `http.client` comes; it is wrapped as soon as it was loaded."""
        if name != "http.client":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            self.wrap(module.HTTPConnection)

        spec.loader.exec_module = exec_module
        return spec

    def wrap(self, connection):
        end = connection.endheaders

        def endheaders(this, *args, **named):
            if (this.host, this.port) == self.address:
                sent = b"".join(getattr(this, "_buffer", [])).lower()
                if b"x-sfx-depth:" not in sent:
                    this.putheader("x-sfx-depth", str(self.depth + 1))
                if self.trace and b"traceparent:" not in sent:
                    this.putheader("traceparent", self.trace)
            return end(this, *args, **named)

        connection.endheaders = endheaders


def mark(text):
    """Ends what this call wrote; answers the descriptors that took the mark."""
    marked = []
    for stream, fd in ((sys.stdout, 1), (sys.stderr, 2)):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            pass
        try:
            os.write(fd, text)
            marked.append(fd)
        except OSError:
            pass
    return marked


def answer(handler, runner, fixed, call):
    """The answer's members as JSON text. SystemExit ends the instance, as it would end a program."""
    try:
        result = runner.result(handler(call["event"], Context(fixed, call)))
        return f'"result":{dumps(result)}'
    except SystemExit:
        raise
    except BaseException as error:
        tell(error)
        return f'"error":{json.dumps(describe(error))}'


def main():
    channel = Channel(CHANNEL)
    told = channel.read()
    if told is None:
        return
    fixed = told["context"]
    text = ("\x1e" + told["mark"] + "\x1e\n").encode("ascii")
    sys.path[0] = ROOT[:-1]
    sys.argv = [told["handler"]]
    engine = Marked(told["events"])
    runner = Runner()
    try:
        handler = load(told["handler"])
    except SystemExit:
        raise
    except BaseException as error:
        tell(error)
        channel.write(json.dumps({"unloadable": describe(error), "marked": mark(text)}))
        return
    # What was loaded stays: the collector need not look at it again and again.
    gc.freeze()
    channel.write(json.dumps({"ready": ".".join(map(str, sys.version_info[:3])), "marked": mark(text)}))
    while True:
        call = channel.read()
        if call is None:
            return
        engine.depth = call["depth"]
        engine.trace = call["trace"]
        members = answer(handler, runner, fixed, call)
        marked = json.dumps(mark(text))
        channel.write(f'{{"id":{call["id"]},"marked":{marked},{members}}}')


main()
