package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func write(t *testing.T, folder, name, text string) string {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestProjectKeepsExtensionsAndResolvesTheRest(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("FROM_SHELL", "shell")
	write(t, folder, ".env", "FROM_FILE=file\n")
	write(t, folder, "web.env", "A=1\n")
	file := write(t, folder, "compose.yaml", `
name: shop
services:
  web:
    build: {context: ., x-cache: true}
    env_file: web.env
    environment: {B: "${FROM_SHELL}", C: "${FROM_FILE}", D: "<&>"}
    mem_limit: 20000000000
    x-slipway: {route: {port: 8000}, probes: [{path: /health, within: 1.5}]}
  debug: {image: busybox, profiles: [debug]}
x-owner: shop-team
`)
	var output bytes.Buffer
	if err := run(context.Background(), []string{file}, &output, &output); err != nil {
		t.Fatal(err)
	}
	want := `{
  "name": "shop",
  "networks": {
    "default": {
      "ipam": {},
      "name": "shop_default"
    }
  },
  "services": {
    "web": {
      "build": {
        "context": "` + folder + `",
        "dockerfile": "Dockerfile",
        "x-cache": true
      },
      "command": null,
      "entrypoint": null,
      "environment": {
        "A": "1",
        "B": "shell",
        "C": "file",
        "D": "<&>"
      },
      "mem_limit": "20000000000",
      "networks": {
        "default": null
      },
      "x-slipway": {
        "probes": [
          {
            "path": "/health",
            "within": 1.5
          }
        ],
        "route": {
          "port": 8000
        }
      }
    }
  },
  "x-owner": "shop-team"
}
`
	if got := output.String(); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestProfilesAreEnabledByFlag(t *testing.T) {
	file := write(t, t.TempDir(), "compose.yaml", "services: {a: {image: x, profiles: [p]}}\n")
	var output bytes.Buffer
	if err := run(context.Background(), []string{"--profile", "p", file}, &output, &output); err != nil {
		t.Fatal(err)
	}
	var project struct{ Services map[string]any }
	if err := json.Unmarshal(output.Bytes(), &project); err != nil {
		t.Fatal(err)
	}
	if _, ok := project.Services["a"]; !ok {
		t.Errorf("service a is missing in %s", output.String())
	}
}

func TestErrorsAreOneLineThatNamesTheCause(t *testing.T) {
	folder := t.TempDir()
	cases := map[string]struct{ text, cause string }{
		"syntax":      {"services:\n  a: [\n", "yaml:"},
		"schema":      {"services: {a: {image: x, imag: y}}\n", "services.a"},
		"no env file": {"services: {a: {image: x, env_file: no.env}}\n", "no.env not found"},
		"variable":    {"services: {a: {image: \"${NOT_SET:?set me}\"}}\n", "set me"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			file := write(t, folder, "compose.yaml", c.text)
			var output bytes.Buffer
			err := run(context.Background(), []string{file}, &output, &output)
			if err == nil {
				t.Fatalf("no error, but %s", output.String())
			}
			if line := oneLine(err); !strings.Contains(line, c.cause) || strings.Contains(line, "\n") {
				t.Errorf("got %q, want one line with %q", line, c.cause)
			}
		})
	}
}
