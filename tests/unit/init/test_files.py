"""Whole compose files, as strangers write them, and what becomes of each."""

from collections.abc import Mapping
from pathlib import Path

from ruamel.yaml import YAML

from slipway.init.outline import outline
from slipway.init.proposals import propose
from slipway.init.remarks import remarks
from slipway.init.source import Sources
from slipway.init.writing import write
from slipway.services import Extension

from ..support import write_files


def made_ready(root: Path, files: Mapping[str, str], name: str) -> tuple[str, list[str]]:
    """The compose file's text afterwards, and what is left to decide."""
    write_files(root, files)
    file = root / name
    before = outline(file, files[name])
    sources = Sources()
    proposals = propose(before, sources)
    text, without_place = write(before, proposals)
    assert without_place == []
    again = outline(file, text)
    assert write(again, propose(again, sources)) == (text, [])
    for service in YAML(typ="safe").load(text)["services"].values():
        Extension.model_validate(service.get("x-slipway", {}))
    left = remarks(again, proposals, sources)
    return text, [f"{r.line} {r.key}: {r.text}".replace(f"{root}/", "") for r in left]


def assert_made_ready(
    root: Path, name: str, marked: str, files: Mapping[str, str], left: list[str]
) -> None:
    """The compose file becomes what is marked: `+` a line that is added, `-` one that is not there
    afterwards."""
    before = "".join(line[1:] or "\n" for line in marked.splitlines(True) if line[0] != "+")
    after = "".join(line[1:] or "\n" for line in marked.splitlines(True) if line[0] != "-")

    assert made_ready(root, {**files, name: before}, name) == (after, left)


DJANGO = """\
 version: "3.9"
 # The shop.

 x-app: &app
   build: .
   env_file: .env.prod
   restart: always

 services:
   web: &web
     <<: *app
     command: /code/scripts/start.sh
     container_name: shop_web
     volumes:
       - .:/code   # for development
       - static:/static
     depends_on: [db]
     expose:
       - 8000
+    x-slipway:
+      # nginx calls it by its name; its command listens there.
+      route: {port: 8000, internal: true}
+      # shop/api/urls.py:3 answers there.
+      # ALLOWED_HOSTS lets this Host through.
+      probes:
+        - path: /api/health/
+          headers: {Host: shop.example.com}
+      # manage.py is there, and nothing migrates the database when the service starts.
+      # shop/settings.py:2 sets STATIC_ROOT, which collectstatic fills.
+      release: python manage.py migrate --noinput && python manage.py collectstatic --noinput

   worker:
     <<: *web
     command: celery -A shop worker -l info
+    # Not what << would bring from web.
+    x-slipway: {}

   beat:
     <<: *app
     command: celery -A shop beat   # jobs
+    x-slipway:
+      # It starts jobs by the clock: two at once would start each job twice.
+      singleton: true

   db:
     image: postgres:16
     environment:
       POSTGRES_PASSWORD: s3cret

   nginx:
     image: nginx
     ports:
       - "80:80"
       - "443:443"
     volumes:
       - ./nginx:/etc/nginx/conf.d:ro
       - static:/static
+    x-slipway:
+      # nginx is in front of the rest.
+      route: {port: 80}
+      # The proxy's 502, 503 and 504 fail: what is behind it must answer.
+      probes:
+        - path: /
+          status: [200, 301, 302, 401, 403, 404]

 volumes:
   static:
"""
DJANGO_FILES = {
    "Dockerfile": """\
FROM python:3.12-slim
USER app
WORKDIR /code
COPY . .
""",
    ".dockerignore": "docker-compose*.yml\n",
    "nginx/shop.conf": "upstream shop { server web:8000; }\n",
    "scripts/start.sh": """\
#!/bin/sh
set -e
exec gunicorn shop.wsgi -b 0.0.0.0:8000
""",
    "manage.py": "import os\n",
    "shop/settings.py": """\
ALLOWED_HOSTS = [".shop.example.com"]
STATIC_ROOT = "/static"
SECURE_SSL_REDIRECT = True
""",
    "shop/urls.py": """\
urlpatterns = [path("admin/", x), path("api/", include("shop.api.urls"))]
""",
    "shop/api/urls.py": """\
urlpatterns = [
    path("orders/<int:pk>/status/", x),
    path("health/", x),
]
""",
}
DJANGO_LEFT = [
    (
        "6 web.env_file: .env.prod is not there; write it (is there an example beside it?), or "
        "give its variables under environment, with ${NAME} for secrets"
    ),
    (
        "13 web.container_name: is kept as a name within the stack; the containers' own names "
        "are made by Slipway, since old and new cannot share one. Change scripts that use it"
    ),
    (
        "15 web.volumes: .:/code hides the image's code, so that other code than the released "
        "would run; move it to a compose.override.yaml for development"
    ),
    (
        "20 web.x-slipway.probes: shop/settings.py:3 sends every plain request to HTTPS, probes"
        " too; name the health check's path in SECURE_REDIRECT_EXEMPT"
    ),
    (
        "45 db: a database without a volume loses its data with its container; add volumes: "
        '["db-data:/var/lib/postgresql/data"], and the volume at the top level, or write '
        "x-slipway: {ephemeral: true}"
    ),
    (
        "48 db.environment.POSTGRES_PASSWORD: is a secret that everyone can read who has the "
        "file; run scripts/secrets docker-compose.yml"
    ),
    (
        '53 nginx.ports: "80:80" is not published: Slipway\'s proxy listens instead, on '
        "slipway:port; remove it, or move it to a compose.override.yaml for development"
    ),
    (
        '54 nginx.ports: "443:443": TLS does not reach it, since Slipway\'s proxy speaks HTTP to'
        " it; remove it, let what is before the proxy end TLS, and switch redirects to HTTPS "
        "off here"
    ),
]


def test_django_behind_nginx(tmp_path: Path) -> None:
    assert_made_ready(tmp_path, "docker-compose.yml", DJANGO, DJANGO_FILES, DJANGO_LEFT)


FASTAPI = """\
 services:
   api:
     build: {context: ./backend}
     environment:
       - DATABASE_URL=sqlite:////data/app.db
       - LEVEL=${LEVEL}
       - TOKEN=${API_TOKEN}
     ports: ["8000:80"]
     volumes: [data:/data]
+    x-slipway:
+      # Requests arrive at this port: its command listens there.
+      route: {port: 80}
+      # app/health.py:9 answers there.
+      probes:
+        - path: /api/v1/ops/health
+      # SQLite on data: old and new must not write to it at once.
+      overlap: false
+      # alembic.ini is there, and nothing migrates the database when the service starts.
+      release: uv run alembic upgrade head
 volumes: {data: {}}
"""
FASTAPI_FILES = {
    "backend/Dockerfile": """\
FROM python:3.12-slim AS base
USER app
EXPOSE 80
FROM base
CMD ["uv", "run", "fastapi", "run", "app/main.py", "--port", "80"]
""",
    "backend/alembic.ini": "",
    "backend/app/main.py": """\
app = FastAPI()
app.include_router(health.router, prefix="/api/v1")
""",
    "backend/app/health.py": """\
router = APIRouter(prefix="/ops")


@router.get("/ready")
def ready(): ...


@router.get("/health")
async def health(): ...
""",
}
FASTAPI_LEFT = [
    (
        "6 ${LEVEL}: has no value; set it under slipway:variables of the stacks, or write "
        "${LEVEL:-} if it may be empty"
    ),
    (
        "7 ${API_TOKEN}: has no value; run pulumi config set --secret --stack <stack> --path "
        "slipway:secrets.API_TOKEN, or write ${API_TOKEN:-} if it may be empty"
    ),
    (
        '8 api.ports: "8000:80" is not published: Slipway\'s proxy listens instead, on '
        "slipway:port; remove it, or move it to a compose.override.yaml for development"
    ),
]


def test_fastapi_with_sqlite_and_alembic(tmp_path: Path) -> None:
    assert_made_ready(tmp_path, "compose.yaml", FASTAPI, FASTAPI_FILES, FASTAPI_LEFT)


FLASK = """\
 services:
     web:
         build: .
         ports:
             - "127.0.0.1:5000:5000"
         environment:
             SECRET_KEY: abc
         healthcheck:
             test: curl http://localhost:5000/ping
         # volumes: nothing yet
+        x-slipway:
+            # Requests arrive at this port: its command listens there.
+            route: {port: 5000}
+            # Its healthcheck asks for this path.
+            probes:
+                - path: /ping
+            # migrations/alembic.ini is there, and nothing migrates the database when the service starts.
+            release: flask db upgrade
     # The queue.
     worker:
         build: .
         command: rq worker
         network_mode: host
     redis:
         image: redis:7
"""  # noqa: E501
FLASK_FILES = {
    "Dockerfile": """\
FROM python:3.12
USER app
CMD flask run --host 0.0.0.0
""",
    "migrations/alembic.ini": "",
}
FLASK_LEFT = [
    (
        "2 web.command: starts a server for development, which is refused in production; start "
        "gunicorn or uvicorn without --reload"
    ),
    (
        "3 web.build: docker-compose.yaml is part of the build context, so that a changed probe"
        " makes another image; add the line docker-compose.yaml to .dockerignore, which is not "
        "there yet"
    ),
    (
        '5 web.ports: "127.0.0.1:5000:5000" is not published: Slipway\'s proxy listens instead, '
        "on slipway:port; remove it, or move it to a compose.override.yaml for development"
    ),
    (
        "7 web.environment.SECRET_KEY: is a secret that everyone can read who has the file; run"
        " scripts/secrets docker-compose.yaml"
    ),
    (
        "8 web.healthcheck: passes even when the answer is an error such as 500; add --fail to "
        "curl, or check the status"
    ),
    (
        "23 worker.network_mode: the proxy reaches services by the stack's own network; remove "
        "it, and call other services by their names"
    ),
]


def test_flask_with_a_worker(tmp_path: Path) -> None:
    assert_made_ready(tmp_path, "docker-compose.yaml", FLASK, FLASK_FILES, FLASK_LEFT)


TRAEFIK = """\
 services:
   traefik: {image: "traefik:v3", ports: ["80:80"], volumes: ["/var/run/docker.sock:/var/run/docker.sock:ro"]}
-  web: {build: ., command: "gunicorn app:app -b :8000", labels: ["traefik.http.routers.web.rule=Host(`shop.example.com`) || Host(`www.example.com`)"]}
+  # Requests arrive at this port: its command listens there.
+  # The hosts are those of its labels or of VIRTUAL_HOST.
+  # Nothing tells of a path for health checks: any answer but an error of the server.
+  # Replace it by the path of a health check.
+  web: {build: ., command: "gunicorn app:app -b :8000", labels: ["traefik.http.routers.web.rule=Host(`shop.example.com`) || Host(`www.example.com`)"], x-slipway: {route: {port: 8000, host: [shop.example.com, www.example.com]}, probes: [{path: /, status: [200, 301, 302, 401, 403, 404]}]}}
"""  # noqa: E501
TRAEFIK_FILES = {
    "Dockerfile": "FROM python:3.12\nUSER app\n",
}
TRAEFIK_LEFT = [
    (
        "2 traefik: traefik leads to every container that it sees, unproven ones too; remove "
        "it, Slipway's proxy takes its place"
    ),
    (
        "2 traefik.volumes: /var/run/docker.sock gives the container the whole host; remove it,"
        " or write x-slipway: {allow: [docker.sock]} if that is meant"
    ),
    (
        "7 web.build: compose.yml is part of the build context, so that a changed probe makes "
        "another image; add the line compose.yml to .dockerignore, which is not there yet"
    ),
    (
        "7 web.x-slipway.probes: / with almost any status says little; write the path of a "
        "health check and no status"
    ),
]


def test_application_behind_traefik(tmp_path: Path) -> None:
    assert_made_ready(tmp_path, "compose.yml", TRAEFIK, TRAEFIK_FILES, TRAEFIK_LEFT)


TWO = """\
 services:
   api:
     build: ./api
     ports: ["8000:8000"]
     command: ["sh", "-c", "alembic upgrade head && uvicorn main:app --host 0.0.0.0 --port 8000 --reload"]
     volumes: ["./api:/app", "./uploads:/uploads", "~/.aws:/root/.aws:ro"]
+    x-slipway:
+      # Requests arrive at this port: its command listens there.
+      # Another service has / already: choose a path, or host: [name].
+      route: {port: 8000, path: /api}
+      # main.py:3 answers there.
+      probes:
+        - path: /healthz
   frontend:
     build: ./frontend
     ports: ["80:80"]
+    x-slipway:
+      # nginx is in front of the rest.
+      route: {port: 80}
+      # The proxy's 502, 503 and 504 fail: what is behind it must answer.
+      probes:
+        - path: /
+          status: [200, 301, 302, 401, 403, 404]
   flower: {build: ./api, command: celery -A main flower, ports: ["5555:5555"]}
"""  # noqa: E501
TWO_FILES = {
    "api/Dockerfile": "FROM python:3.12\nUSER app\n",
    "api/alembic.ini": "",
    "api/main.py": """\
app = FastAPI()
@app.get("/healthz")
def healthz(): ...
""",
    "frontend/Dockerfile": """\
FROM node:22 AS build
RUN npm run build
FROM nginx:1.27
USER app
COPY --from=build /dist /usr/share/nginx/html
""",
    "frontend/nginx.conf": "server { listen 80; root /usr/share/nginx/html; }\n",
}
TWO_LEFT = [
    (
        '4 api.ports: "8000:8000" is not published: Slipway\'s proxy listens instead, on '
        "slipway:port; remove it, or move it to a compose.override.yaml for development"
    ),
    (
        "5 api.command: changes the database's schema whenever it starts; to have it run once a "
        "release, before the new containers start, and shown, write x-slipway: {release: alembic "
        "upgrade head} and take it out of the command"
    ),
    (
        "5 api.command: starts a server for development, which is refused in production; start "
        "gunicorn or uvicorn without --reload"
    ),
    (
        "6 api.volumes: ./api:/app hides the image's code, so that other code than the released"
        " would run; move it to a compose.override.yaml for development"
    ),
    (
        "6 api.volumes: ./uploads:/uploads keeps data in a folder of this checkout; use a named"
        " volume, or an absolute path of the Docker host. Configuration that only is read: add "
        ":ro"
    ),
    (
        "6 api.volumes: ~/.aws is another folder on every machine; write an absolute path of the "
        "Docker host, or a path of the project (./…)"
    ),
    (
        "7 api.x-slipway.route: another service gets the other requests, and this one those "
        "below /api, which is not taken off the path; write the path that it serves, or host: "
        "[its name]"
    ),
    (
        '16 frontend.ports: "80:80" is not published: Slipway\'s proxy listens instead, on '
        "slipway:port; remove it, or move it to a compose.override.yaml for development"
    ),
    (
        '24 flower.ports: "5555:5555" binds a port of the host, which old and new cannot share;'
        " remove it, or move it to a compose.override.yaml for development; if it is not HTTP, "
        "write x-slipway: {singleton: true}"
    ),
]


def test_backend_and_frontend(tmp_path: Path) -> None:
    assert_made_ready(tmp_path, "compose.yaml", TWO, TWO_FILES, TWO_LEFT)


PULLED = """\
 services:
   app:
     image: ghcr.io/someone/app:1
     ports: ["3000:3000/tcp", "5678:5678"]
     healthcheck:
       test: ["CMD", "wget", "-q", "--spider", "http://127.0.0.1:3000/status?full=1"]
+    x-slipway:
+      # Requests arrive at this port: the file publishes it as "3000:3000/tcp".
+      route: {port: 3000}
+      # Its healthcheck asks for this path.
+      probes:
+        - path: "/status?full=1"
   db:
     image: mysql:8
     volumes: [data:/var/lib/mysql]
 volumes: {data: {}}
"""
PULLED_FILES = {}
PULLED_LEFT = [
    (
        '4 app.ports: "3000:3000/tcp" is not published: Slipway\'s proxy listens instead, on '
        "slipway:port; remove it, or move it to a compose.override.yaml for development"
    ),
    (
        '4 app.ports: "5678:5678" binds a port of the host, which old and new cannot share; '
        "remove it, or move it to a compose.override.yaml for development"
    ),
]


def test_pulled_application(tmp_path: Path) -> None:
    assert_made_ready(tmp_path, "compose.yaml", PULLED, PULLED_FILES, PULLED_LEFT)


NOTHING = """\
 services:
   db:
     image: postgres:16
     volumes: [d:/var/lib/postgresql/data]
 volumes: {d: {}}
"""
NOTHING_FILES = {}
NOTHING_LEFT = [
    (
        "1 services: none is seen to answer HTTP; write x-slipway: {route: {port: …}} on the "
        "one that does"
    ),
]


def test_database_alone(tmp_path: Path) -> None:
    assert_made_ready(tmp_path, "compose.yaml", NOTHING, NOTHING_FILES, NOTHING_LEFT)


OWN = """\
 services:
   web:
     build: .
     command: sh -c "python -m booking.migrate && gunicorn booking -b :8000"
+    x-slipway:
+      # Requests arrive at this port: its command listens there.
+      route: {port: 8000}
+      # booking/app.py:2 answers there, with these values.
+      probes:
+        - path: /health
+          json: {status: ok}
   worker:
     build: {context: ., args: {PIP_TOKEN: hunter2-for-the-index}}
     command: celery -A booking worker
"""
OWN_FILES = {
    "Dockerfile": "FROM python:3.12\nUSER app\n",
    ".dockerignore": ".git\n",
    "booking/app.py": "@app.get('/health')\ndef health():\n    return {'status': 'ok'}\n",
}
OWN_LEFT = [
    (
        "3 web.build: compose.yaml is part of the build context, so that a changed probe makes "
        "another image; add the line compose.yaml to .dockerignore"
    ),
    (
        "4 web.command: changes the database's schema whenever it starts; to have it run once a "
        "release, before the new containers start, and shown, write x-slipway: {release: python "
        "-m booking.migrate} and take it out of the command"
    ),
    (
        "13 worker.build.args.PIP_TOKEN: a secret stands in the file, and build arguments can be "
        "read out of the image's history; change the secret, and give it to the build as a build "
        "secret, with build: {secrets: [name]}, secrets: {name: {file: …}} at the top level with a "
        "file that is in no commit, and RUN --mount=type=secret,id=name in the Dockerfile"
    ),
]


def test_migration_of_the_application_s_own_and_a_secret_for_the_build(tmp_path: Path) -> None:
    assert_made_ready(tmp_path, "compose.yaml", OWN, OWN_FILES, OWN_LEFT)


def test_migration_that_is_a_release_command_already_is_not_proposed_again(tmp_path: Path) -> None:
    own = OWN.replace("+", " ").replace(
        "route: {port: 8000}", "route: {port: 8000}\n       release: python -m booking.migrate"
    )
    left = [line for line in OWN_LEFT if "schema" not in line]
    moved = [line.replace("13 worker", "14 worker") for line in left]
    assert_made_ready(tmp_path, "compose.yaml", own, OWN_FILES, moved)


def test_answer_of_the_path_that_a_health_check_asks_for_is_expected(tmp_path: Path) -> None:
    compose = (
        "services:\n  web:\n    build: .\n    expose: [8000]\n"
        "    healthcheck: {test: curl -f http://localhost:8000/health}\n"
    )
    text, _ = made_ready(tmp_path, {**OWN_FILES, "compose.yaml": compose}, "compose.yaml")
    assert text == compose + (
        "    x-slipway:\n"
        "      # Requests arrive at this port: the file or the image exposes it.\n"
        "      route: {port: 8000}\n"
        "      # Its healthcheck asks for this path.\n"
        "      # booking/app.py:2 answers with these values.\n"
        "      probes:\n"
        "        - path: /health\n"
        "          json: {status: ok}\n"
    )
