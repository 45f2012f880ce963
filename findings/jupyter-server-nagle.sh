#!/usr/bin/env bash
# What a kernel answers within 40 ms after its "busy" waits until those are over.
#
# jupyter-server 2.21.1, tornado 6.6.1 on Linux (November 2026): the server's websockets leave Nagle's
# algorithm on. "busy" leaves at once; what follows is held until the browser has confirmed it, and
# who has just sent something itself does that after 40 ms. A widget that answers a slider with 20 kB
# is repainted after 73 ms; with set_nodelay(True) in the server, or with an answer that fills a
# segment (64 kB on the loopback), after 34.
#
# Seen, on a busy machine: "sent after 19 ms, there after 44 ms".
# Fails if the answer comes less than 20 ms later than the kernel has sent it.
set -euo pipefail
folder=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q jupyter-server==2.21.1 tornado==6.6.1 ipykernel==7.4.0
export HOME="$folder" JUPYTER_PREFER_ENV_PATH=1
"$folder/env/bin/jupyter" server --no-browser --allow-root --ServerApp.port=18765 \
    --IdentityProvider.token=t --ServerApp.root_dir="$folder" >"$folder/log" 2>&1 &
server=$!
"$folder/env/bin/python" - <<'PY'
import json, statistics, time, urllib.request, uuid
from datetime import datetime
from websocket import create_connection

def ask(path, method="GET"):
    url, headers = f"http://127.0.0.1:18765{path}", {"Authorization": "token t"}
    data = b"{}" if method == "POST" else None
    with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method)) as answer:
        return json.load(answer)

for _ in range(300):
    try:
        kernel = ask("/api/kernels", "POST")["id"]
        break
    except OSError:
        time.sleep(0.1)
socket = create_connection(f"ws://127.0.0.1:18765/api/kernels/{kernel}/channels?token=t")

def round_trip():
    """How long after "busy" the output is sent, and how long after it the output comes."""
    header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "username": "", "session": "s", "version": "5.4"}
    content = {"code": "display('x')", "silent": False, "store_history": False, "allow_stdin": False, "stop_on_error": False}
    socket.send(json.dumps({"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell", "buffers": []}))
    times = {}
    while "idle" not in times:
        message = json.loads(socket.recv())
        if message["parent_header"].get("msg_id") == header["msg_id"]:
            what = message["content"].get("execution_state", message["msg_type"])
            sent = datetime.fromisoformat(message["header"]["date"].replace("Z", "+00:00"))
            times[what] = (sent.timestamp(), time.time())
    return [1000 * (output - busy) for output, busy in zip(times["display_data"], times["busy"])]

sent, came = (statistics.median(each) for each in zip(*(round_trip() for _ in range(25))))
print(f"sent after {sent:.0f} ms, there after {came:.0f} ms")
assert came - sent > 20
PY
