"""Configurations of web servers that tests run, each with a log in every format that they write."""

import re
from pathlib import Path

CUSTOM = (
    '$msec [$remote_addr] $status $bytes_sent "$request" "$http_user_agent" <$request_time> $http_referer'
)
JSON = (
    '{"time_iso8601":"$time_iso8601","remote_addr":"$remote_addr","request":"$request","status":"$status",'
    '"body_bytes_sent":"$body_bytes_sent","http_referer":"$http_referer","http_user_agent":"$http_user_agent"}'
)
NGINX = """
{user} daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{ }}
http {{
  log_format own '{custom}'; log_format lines escape=json '{json}';
  log_format vhost_combined '$host:$server_port $remote_addr - $remote_user [$time_local] "$request" '
    '$status $body_bytes_sent "$http_referer" "$http_user_agent"';
  access_log {folder}/combined.log combined; access_log {folder}/own.log own;
  access_log {folder}/lines.log lines; access_log {folder}/vhost.log vhost_combined;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{ listen 127.0.0.1:{port}; location / {{ return 200 "ok"; }} location /old {{ return 301 /; }} }}
}}
"""
APACHE = """
ServerRoot {folder}
ServerName shop.example
Listen 127.0.0.1:{port}
PidFile {folder}/pid
ErrorLog {folder}/error.log
DocumentRoot {public}
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule authz_user_module {modules}/mod_authz_user.so
LoadModule authn_core_module {modules}/mod_authn_core.so
LoadModule authn_file_module {modules}/mod_authn_file.so
LoadModule auth_basic_module {modules}/mod_auth_basic.so
LoadModule dir_module {modules}/mod_dir.so
FallbackResource /index.html
{user}
<Location "/fresh_fish">
  AuthType Basic
  AuthName "shop"
  AuthUserFile {public}/users
  Require valid-user
</Location>
LogFormat "%v:%p %h %l %u %t \\"%r\\" %>s %O \\"%{{Referer}}i\\" \\"%{{User-Agent}}i\\"" vhost_combined
CustomLog {folder}/combined.log "%h %l %u %t \\"%r\\" %>s %b \\"%{{Referer}}i\\" \\"%{{User-Agent}}i\\""
CustomLog {folder}/common.log "%h %l %u %t \\"%r\\" %>s %b"
CustomLog {folder}/vhost.log vhost_combined
"""
CADDY = """
{{
  admin off
  auto_https off
  storage file_system {folder}/caddy
}}
http://:{port} {{
  bind 127.0.0.1
  {log}
  redir /old / 301
  respond "ok"
}}
"""


def caddy_config(folder: Path, port: int) -> str:
    """Return a configuration with the lines that docs/logs.md tells to paste."""
    document = (Path(__file__).parents[2] / "docs/logs.md").read_text(encoding="utf-8")
    [log] = re.findall(r"^```caddyfile\n(.*?)^```$", document, re.MULTILINE | re.DOTALL)
    log = log.replace("/var/log/caddy/shop.log", f"{folder}/access.log")
    return CADDY.format(folder=folder, port=port, log=log)
