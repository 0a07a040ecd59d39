#!/usr/bin/env bash
# Varnish 7.1.1 (Debian 7.1.1-2+deb12u1): varnishncsa, where the VCL changes the request, as most do.
#
# Guess: a line of varnishncsa is the request as the client sent it, or as the VCL left it; its URL and its headers are of
# the same moment, in any case.
#
# The URL (%r, %U, %q) is the first, as it was sent: with the utm_ parameters that the VCL takes off, so one page of the
# cache is many in the log. A header (%{…}i) is the last value that it had: what the VCL set, not what was sent. One that
# the VCL unset stands there with the value that it had before, though no backend has seen it.
#
# Who reads agents from this log has the classes of the VCL ("mobile", "bot") for them; who checks in it that a header
# (a cookie, a Referer) is taken off concludes that it is not.
#
# Seen (each line after #> is compared):
#
#> sent /films?utm_source=mail, phone/1, from a page: log /films?utm_source=mail agent=mobile referrer=a page added=by VCL
#> backend got:                                           /films agent=mobile referrer=None added=by VCL

set -euo pipefail
export LC_ALL=C.UTF-8 TZ=UTC
work=$(mktemp -d)
script=$(realpath "${BASH_SOURCE[0]}")
stop() {
    for pid in $(jobs -p); do kill "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap stop EXIT
cd "$work"

# Debian's packages, unpacked in the temporary folder: nothing is installed. Varnish compiles its VCL with gcc.
command -v gcc >/dev/null || { echo "gcc is needed" >&2; exit 2; }
apt_get() { apt-get -qq -o APT::Sandbox::User=root "$@"; }
own_lists() { apt_get -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" "$@"; }
packages=(varnish=7.1.1-2+deb12u1 libvarnishapi3=7.1.1-2+deb12u1 libjemalloc2)
if ! apt_get download "${packages[@]}" 2>/dev/null; then
    mkdir -p lists/partial cache/archives/partial
    own_lists update >/dev/null && own_lists download "${packages[@]}"
fi
for package in *.deb; do dpkg-deb -x "$package" tree; done
libraries=$(find "$work/tree" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)
varnish() { LD_LIBRARY_PATH=$libraries "$work/tree/usr/$1" -n "$work/state" "${@:2}"; }
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
port=$(free_port)
backend=$(free_port)

cat >backend.py <<'END'
import http.server, sys

class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        sent = self.headers
        print(f"{self.path} agent={sent['User-Agent']} referrer={sent['Referer']} added={sent['X-Added']}", flush=True)
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_):
        pass

http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Page).serve_forever()
END
python3 backend.py "$backend" >got 2>backend.err &
cat >shop.vcl <<END
vcl 4.1;
backend default { .host = "127.0.0.1"; .port = "$backend"; }
sub vcl_recv {
    set req.url = regsuball(req.url, "[?&]utm_[^&]*", "");
    if (req.http.User-Agent ~ "phone") { set req.http.User-Agent = "mobile"; }
    unset req.http.Referer;
    set req.http.X-Added = "by VCL";
    return (pass);
}
END
varnish sbin/varnishd -F -j none -a "127.0.0.1:$port" -f "$work/shop.vcl" >varnishd.out 2>&1 &
cat >ask.py <<'END'
import socket, sys, time

port, target = int(sys.argv[1]), sys.argv[2]
for _ in range(1200):
    try:
        one = socket.create_connection(("127.0.0.1", port), timeout=60)
        break
    except ConnectionRefusedError:
        time.sleep(0.05)
head = f"GET {target} HTTP/1.1\r\nHost: shop.test\r\nUser-Agent: phone/1\r\nReferer: a page\r\nConnection: close\r\n\r\n"
with one:
    one.sendall(head.encode())
    while one.recv(9999):
        pass
END
python3 ask.py "$port" /ready
form='%U%q agent=%{User-Agent}i referrer=%{Referer}i added=%{X-Added}i'
varnish bin/varnishncsa -F "$form" >access.log 2>ncsa.err &
for _ in $(seq 100); do # until varnishncsa has begun to read
    python3 ask.py "$port" /ready
    [ ! -s access.log ] || break
    sleep 0.2
done
python3 ask.py "$port" '/films?utm_source=mail'
for _ in $(seq 600); do
    ! grep -q films access.log || break
    sleep 0.1
done
{
    echo "sent /films?utm_source=mail, phone/1, from a page: log $(grep films access.log)"
    echo "backend got:                                           $(grep films got)"
} >seen
if ! diff <(sed -n 's/^#> \{0,1\}//p' "$script") seen; then
    echo "changed: lines marked < were seen with the version above" >&2
    exit 1
fi
echo "as found"
