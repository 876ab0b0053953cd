package manifests

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"sigs.k8s.io/yaml"

	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

const owner = "prometheus" // of the network that all share

// compose reads docker-compose.yml as "docker compose" does, schema and references included.
func compose(t *testing.T) *types.Project {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{root + "deploy/docker-compose.yml"}, cli.WithEnv(nil))
	check(t, err)
	project, err := options.LoadProject(t.Context())
	check(t, err)
	return project
}

// Everything is reached from this machine, and from nowhere else; what is mounted is in the repository, and stays as it is.
func TestComposeIsConfined(t *testing.T) {
	t.Parallel()
	var published []string
	for name, service := range compose(t).Services {
		if mode := service.NetworkMode; name != owner && mode != "service:"+owner {
			t.Errorf("%s has the network %q: it is not localhost for the others", name, mode)
		}
		for _, port := range service.Ports {
			published = append(published, port.Published)
			if port.HostIP != "127.0.0.1" || port.Published != strconv.Itoa(int(port.Target)) {
				t.Errorf("%s: port %d is published on %q as %q", name, port.Target, port.HostIP, port.Published)
			}
		}
		for _, volume := range service.Volumes {
			if _, err := os.Stat(volume.Source); err != nil || volume.Type != types.VolumeTypeBind || !volume.ReadOnly {
				t.Errorf("%s: %s is no read-only mount of what is there: %v", name, volume.Source, err)
			}
		}
	}
	slices.Sort(published)
	if want := []string{"3000", "9090", "9091", "9093", strconv.Itoa(port)}; !slices.Equal(published, want) {
		t.Errorf("published are %q, want %q", published, want)
	}
}

// What runs is what the tests run: the programs of "make tools".
func TestComposeHasTestedVersions(t *testing.T) {
	t.Parallel()
	services := compose(t).Services
	for service, prefix := range map[string]string{"prometheus": "prom/prometheus:v3.", "alertmanager": "prom/alertmanager:v"} {
		module := regexp.MustCompile(`(?m)^\tgithub.com/prometheus/` + service + ` v(\S+)`)
		found := module.FindStringSubmatch(read(t, root+"tools/"+service+"/go.mod"))
		if found == nil {
			t.Fatalf("tools/%s has no %[1]s", service)
		}
		// Prometheus 3.16.0 is the Go module v0.316.0.
		want := prefix + strings.TrimPrefix(found[1], map[string]string{"prometheus": "0.3"}[service])
		if got := services[service].Image; got != want {
			t.Errorf("the image is %s, tests run %s", got, want)
		}
	}
	if first, second := services["prometheus"].Image, services["prometheus-2"].Image; first != second {
		t.Errorf("the servers of the pair are %s and %s", first, second)
	}
	if got := services["grafana"].Image; !regexp.MustCompile(`:\d+\.\d+\.\d+$`).MatchString(got) {
		t.Errorf("%s is no exact version", got)
	}
}

// Each server finds the shipped configuration and knows its own address, for links; that of Alertmanager starts without its
// secrets.
func TestComposeConfigurations(t *testing.T) {
	t.Parallel()
	services := compose(t).Services
	for name, address := range map[string]string{
		"prometheus": "http://localhost:9090/", "prometheus-2": "http://localhost:9091/", "alertmanager": "http://localhost:9093/",
	} {
		file := onHost(services[name], strings.TrimPrefix(services[name].Command[0], "--config.file="))
		program := strings.TrimSuffix(name, "-2")
		want, err := filepath.Abs(root + "deploy/" + program + "/" + program + ".yml")
		check(t, err)
		if file != want {
			t.Errorf("%s reads %q, want %q", name, file, want)
		}
		if !slices.Contains(services[name].Command, "--web.external-url="+address) {
			t.Errorf("%s does not know that it is %s", name, address)
		}
		if keeps := slices.Contains(services[name].Command, "--storage.tsdb.retention.time=45d"); program == "prometheus" && !keeps {
			t.Errorf("%s does not keep 45 days", name)
		}
		if name == "alertmanager" {
			testserver.Alertmanager(t, file)
		}
	}
	// The rules are where prometheus.yml, relative to itself, looks for them.
	want, err := filepath.Abs(root + "rules/jobs.yml")
	check(t, err)
	inside := filepath.Dir(strings.TrimPrefix(services["prometheus"].Command[0], "--config.file="))
	if got := onHost(services["prometheus"], filepath.Join(inside, "../../rules/jobs.yml")); got != want {
		t.Errorf("prometheus finds its rules in %q, want %q", got, want)
	}
}

// Grafana lets everybody look, and gets the two servers of the shared network, and the folder of the dashboards.
func TestComposeProvisionsGrafana(t *testing.T) {
	t.Parallel()
	grafana := compose(t).Services["grafana"]
	for key, want := range map[string]string{"GF_AUTH_ANONYMOUS_ENABLED": "true", "GF_AUTH_ANONYMOUS_ORG_ROLE": "Viewer"} {
		if got := grafana.Environment[key]; got == nil || *got != want {
			t.Errorf("%s is not %q", key, want)
		}
	}
	var sources struct {
		Datasources []struct{ Type, URL string }
	}
	check(t, yaml.Unmarshal([]byte(read(t, onHost(grafana, "/etc/grafana/provisioning/datasources/prometheus.yml"))), &sources))
	urls := map[string]string{}
	for _, source := range sources.Datasources {
		urls[source.Type] = source.URL
	}
	want := map[string]string{"prometheus": "http://localhost:9090", "alertmanager": "http://localhost:9093"}
	if !maps.Equal(urls, want) {
		t.Errorf("the data sources are %v, want %v", urls, want)
	}
	var dashboards struct {
		Providers []struct{ Options struct{ Path string } }
	}
	check(t, yaml.Unmarshal([]byte(read(t, onHost(grafana, "/etc/grafana/provisioning/dashboards/oms_exporter.yml"))), &dashboards))
	folder, err := filepath.Abs(root + "dashboards")
	check(t, err)
	if got := onHost(grafana, dashboards.Providers[0].Options.Path); got != folder {
		t.Errorf("the dashboards are read from %q, want %q", got, folder)
	}
}

// onHost returns what a container sees at a path, or nothing.
func onHost(service types.ServiceConfig, path string) string {
	for _, volume := range service.Volumes {
		if rest, below := strings.CutPrefix(path, volume.Target); below && (rest == "" || rest[0] == '/') {
			return filepath.Join(volume.Source, rest)
		}
	}
	return ""
}
