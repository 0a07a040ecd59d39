#!/usr/bin/env bash
# Tomcat 10.1.60 (Debian 10.1.60-1~deb12u1), run by Java 17.
#
# Guess: a request that Tomcat answers with 400 stands in the access log as it came, so that one sees which link is broken;
# that is what %r, "first line of the request", says, and what it has for an encoded slash (%2F), a 400 too.
#
# For a bar in a query, which browsers send as it is (/films?tags=a|b), the line has a dash for the URL, and one for the
# agent and the referrer, though they were sent: the parser gives up at the bar, and the rest of the header is never read.
# Method, protocol, status and size are right. The JSON valve has the same dashes.
#
# Who looks for the page whose link gives 400 finds lines that all look alike, and who counts by agent has visitors with
# none; the shop's own code never sees these requests, so nothing else has the URL either.
#
# Seen (each line after #> is compared):
#
#> "GET /films?tags=a%7Cb HTTP/1.1" 200 "a page" "browser"
#> "GET /films%2Fnew HTTP/1.1" 400 "a page" "browser"
#> "GET - HTTP/1.1" 400 "-" "-"

set -euo pipefail
export LC_ALL=C.UTF-8 TZ=UTC
work=$(mktemp -d)
script=$(realpath "${BASH_SOURCE[0]}")
server=
trap '[ -z "$server" ] || { kill "$server" 2>/dev/null || true; wait "$server" || true; }; rm -rf "$work"' EXIT
cd "$work"

# Debian's packages, unpacked in the temporary folder: nothing is installed.
command -v java >/dev/null || { echo "Java 17 is needed" >&2; exit 2; }
apt_get() { apt-get -qq -o APT::Sandbox::User=root "$@"; }
own_lists() { apt_get -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" "$@"; }
packages=(libtomcat10-java=10.1.60-1~deb12u1 libtomcat10-embed-java=10.1.60-1~deb12u1 libjakarta-annotation-api-java)
if ! apt_get download "${packages[@]}" 2>/dev/null; then
    mkdir -p lists/partial cache/archives/partial
    own_lists update >/dev/null && own_lists download "${packages[@]}"
fi
for package in *.deb; do dpkg-deb -x "$package" tree; done
jars=$(find tree/usr/share/java -name 'tomcat10-*.jar' -o -name 'jakarta-annotation-api*.jar' | paste -sd:)

cat >Shop.java <<'END'
import jakarta.servlet.http.*;
import org.apache.catalina.startup.Tomcat;
import org.apache.catalina.valves.AccessLogValve;

public class Shop {
    public static void main(String[] args) throws Exception {
        Tomcat tomcat = new Tomcat();
        tomcat.setBaseDir(args[1]);
        tomcat.setPort(Integer.parseInt(args[0]));
        tomcat.getConnector().setProperty("address", "127.0.0.1");
        var context = tomcat.addContext("", args[1]);
        Tomcat.addServlet(context, "page", new HttpServlet() {
            protected void service(HttpServletRequest request, HttpServletResponse response) throws java.io.IOException {
                response.getOutputStream().print("hello");
            }
        });
        context.addServletMappingDecoded("/*", "page");
        var log = new AccessLogValve();
        log.setDirectory(args[1]);
        log.setPattern("\"%r\" %s \"%{Referer}i\" \"%{User-Agent}i\"");
        log.setPrefix("access");
        log.setSuffix(".log");
        log.setRotatable(false);
        log.setBuffered(false);
        tomcat.getHost().getPipeline().addValve(log);
        tomcat.start();
        tomcat.getServer().await();
    }
}
END
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
java -cp "$jars" Shop.java "$port" "$work" >server.out 2>&1 &
server=$!
cat >ask.py <<'END'
import socket, sys, time

for target in ("/films?tags=a%7Cb", "/films%2Fnew", "/films?tags=a|b"):
    for _ in range(2400):
        try:
            one = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=60)
            break
        except ConnectionRefusedError:
            time.sleep(0.05)
    head = f"GET {target} HTTP/1.1\r\nHost: shop.test\r\nReferer: a page\r\nUser-Agent: browser\r\nConnection: close\r\n\r\n"
    with one:
        one.sendall(head.encode())
        while one.recv(9999):
            pass
END
python3 ask.py "$port"
for _ in $(seq 600); do
    [ "$(wc -l <access.log)" -lt 3 ] || break
    sleep 0.1
done
if ! diff <(sed -n 's/^#> \{0,1\}//p' "$script") access.log; then
    echo "changed: lines marked < were seen with the version above" >&2
    exit 1
fi
echo "as found"
