// Command compose-config prints a Compose project as JSON, as
// `docker compose config --format json` does, on machines without that plugin.
// Other than there, extensions (x-… keys) below the top level are kept.
//
// The compose files are read by the reference implementation. Variables come from
// the process environment first, then from the env files.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/sirupsen/logrus"
	"go.yaml.in/yaml/v4"
)

const usage = `usage: compose-config [options] [compose file ...]

Prints the project that the compose files describe as JSON. Without a file it looks
for compose.yaml (or the other usual names) in the project directory and above it.

`

// list is a flag that may be given several times.
type list []string

func (l *list) String() string { return strings.Join(*l, ", ") }

func (l *list) Set(value string) error {
	*l = append(*l, value)
	return nil
}

func main() {
	err := run(context.Background(), os.Args[1:], os.Stdout, os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "compose-config: "+oneLine(err))
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("compose-config", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // main prints the error, in one line
	var files, envFiles, profiles list
	flags.Var(&files, "file", "compose file, the same as an argument; may be repeated")
	flags.Var(&files, "f", "short for -file")
	flags.Var(&envFiles, "env-file", "file with variables, instead of .env; may be repeated")
	flags.Var(&profiles, "profile", "profile to enable, instead of COMPOSE_PROFILES; may be repeated")
	directory := flags.String("project-directory", "",
		"base of relative paths (default: the folder of the first compose file)")
	name := flags.String("project-name", "", "name of the project (default: from the file or its folder)")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprint(stderr, usage)
			flags.SetOutput(stderr)
			flags.PrintDefaults()
		}
		return err
	}
	files = append(files, flags.Args()...)

	// Warnings matter: the caller refuses a file that uses a variable without a value.
	logrus.SetOutput(stderr)

	options, err := cli.NewProjectOptions(files,
		cli.WithWorkingDirectory(*directory),
		cli.WithOsEnv,
		cli.WithConfigFileEnv,
		cli.WithDefaultConfigPath,
		cli.WithEnvFiles(envFiles...),
		cli.WithDotEnv,
		cli.WithDefaultProfiles(profiles...),
		cli.WithName(*name),
		cli.WithResolvedPaths(true),
		cli.WithDiscardEnvFile,
	)
	if err != nil {
		return err
	}
	if len(options.ConfigPaths) == 0 {
		return errors.New("no compose file here or above; name one, for example compose.yaml")
	}
	project, err := options.LoadProject(ctx)
	if err != nil {
		return err
	}
	document, err := withExtensions(project)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(document)
}

// withExtensions gives the project as JSON values. The library leaves extensions of services
// and all that is below them out of its JSON, but not out of its YAML: they come from there.
func withExtensions(project *types.Project) (any, error) {
	plain, err := project.MarshalJSON()
	if err != nil {
		return nil, err
	}
	full, err := project.MarshalYAML()
	if err != nil {
		return nil, err
	}
	var document, source any
	decoder := json.NewDecoder(strings.NewReader(string(plain)))
	decoder.UseNumber() // a byte count must not become a float
	if err := decoder.Decode(&document); err != nil {
		return nil, err
	}
	if err := yaml.Unmarshal(full, &source); err != nil {
		return nil, err
	}
	addExtensions(document, source)
	return document, nil
}

// addExtensions puts the x-… keys that source has into document, at the same places.
func addExtensions(document, source any) {
	switch from := source.(type) {
	case map[string]any:
		into, ok := document.(map[string]any)
		if !ok {
			return
		}
		for key, value := range from {
			if have, ok := into[key]; ok {
				addExtensions(have, value)
			} else if strings.HasPrefix(key, "x-") {
				into[key] = value
			}
		}
	case []any:
		into, ok := document.([]any)
		if !ok || len(into) != len(from) {
			return
		}
		for i, value := range from {
			addExtensions(into[i], value)
		}
	}
}

// oneLine folds an error of several lines, as YAML errors are, into one.
func oneLine(err error) string {
	var parts []string
	for _, line := range strings.Split(err.Error(), "\n") {
		if line = strings.TrimSpace(line); line != "" {
			parts = append(parts, line)
		}
	}
	return strings.Join(parts, "; ")
}
