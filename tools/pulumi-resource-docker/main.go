// Command pulumi-resource-docker is the Docker resource plugin for machines that
// cannot download the official one.
//
// It bridges the same Terraform provider that the official pulumi-docker plugin
// bridges, and gives resources and properties the names that the Python package
// pulumi-docker expects. It lacks the official plugin's native docker.Image.
package main

import (
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shimv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/terraform-providers/terraform-provider-docker/internal/provider"
)

// version is that of the Python package pulumi-docker; the engine matches them.
const version = "5.2.0"

func resource(file, name string) *tfbridge.ResourceInfo {
	return &tfbridge.ResourceInfo{Tok: tokens.Type("docker:index/" + file + ":" + name)}
}

func container() *tfbridge.ResourceInfo {
	info := resource("container", "Container")
	// Two containers cannot share a name or a host port.
	info.DeleteBeforeReplace = true
	info.Fields = map[string]*tfbridge.SchemaInfo{
		"command":           {Name: "command"},
		"networks_advanced": {Name: "networksAdvanced"},
	}
	return info
}

func remoteImage() *tfbridge.ResourceInfo {
	info := resource("remoteImage", "RemoteImage")
	info.Fields = map[string]*tfbridge.SchemaInfo{"name": {Name: "name"}}
	return info
}

func main() {
	tfbridge.Main("docker", version, tfbridge.ProviderInfo{
		P:       shimv2.NewProvider(provider.New(version)()),
		Name:    "docker",
		Version: version,
		Config: map[string]*tfbridge.SchemaInfo{
			"registry_auth": {Name: "registryAuth"},
		},
		Resources: map[string]*tfbridge.ResourceInfo{
			"docker_buildx_builder": resource("buildxBuilder", "BuildxBuilder"),
			"docker_config":         resource("serviceConfig", "ServiceConfig"),
			"docker_container":      container(),
			"docker_image":          remoteImage(),
			"docker_network":        resource("network", "Network"),
			"docker_plugin":         resource("plugin", "Plugin"),
			"docker_registry_image": resource("registryImage", "RegistryImage"),
			"docker_secret":         resource("secret", "Secret"),
			"docker_service":        resource("service", "Service"),
			"docker_tag":            resource("tag", "Tag"),
			"docker_volume":         resource("volume", "Volume"),
		},
	}, []byte("{}"))
}
