//go:build bench

package bench

import (
	"bytes"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"go.yaml.in/yaml/v3"
)

// peerConfig is sql_exporter's main configuration, as far as ours uses it.
type peerConfig struct {
	Global struct {
		ScrapeTimeout       string `yaml:"scrape_timeout"`
		ScrapeTimeoutOffset string `yaml:"scrape_timeout_offset"`
		MinInterval         string `yaml:"min_interval"`
		MaxConnections      int    `yaml:"max_connections"`
		MaxIdleConnections  int    `yaml:"max_idle_connections"`
	}
	Jobs           []peerJob
	CollectorFiles []string `yaml:"collector_files"`
}

type peerJob struct {
	JobName       string           `yaml:"job_name"`
	Collectors    []string         `yaml:"collectors,flow"`
	StaticConfigs []peerStaticList `yaml:"static_configs"`
}

type peerStaticList struct {
	Targets map[string]string
	Labels  map[string]string
}

// peerCollector is one of its collector files.
type peerCollector struct {
	Name    string `yaml:"collector_name"`
	Metrics []struct {
		Name       string   `yaml:"metric_name"`
		Type, Help string   `yaml:",omitempty"`
		KeyLabels  []string `yaml:"key_labels"`
		ValueLabel string   `yaml:"value_label"`
		Values     []string
		QueryRef   string `yaml:"query_ref"`
	}
	Queries []struct {
		Name  string `yaml:"query_name"`
		Query string
	}
}

// newPeerConfig returns the configuration for clients with these DSNs, as their drivers take them.
func newPeerConfig(collectorFile string, dsns map[string]string) ([]byte, error) {
	var c peerConfig
	c.Global.ScrapeTimeout, c.Global.ScrapeTimeoutOffset, c.Global.MinInterval = "5m", "500ms", "0s"
	c.Global.MaxConnections, c.Global.MaxIdleConnections = 3, 3
	c.CollectorFiles = []string{collectorFile}
	for client, dsn := range dsns {
		if !strings.Contains(dsn, "://") {
			dsn = "mysql://" + strings.NewReplacer("tcp(", "", ")", "").Replace(dsn)
		}
		c.Jobs = append(c.Jobs, peerJob{client, []string{"oms"},
			[]peerStaticList{{map[string]string{client: dsn}, map[string]string{"client": client}}}})
	}
	return yaml.Marshal(c)
}

// readPeerConfig returns the targets of a main configuration.
func readPeerConfig(file string) ([]*peerTarget, error) {
	var c peerConfig
	if err := readYAML(file, &c); err != nil {
		return nil, err
	}
	var collector peerCollector
	if err := readYAML(c.CollectorFiles[0], &collector); err != nil {
		return nil, err
	}
	var targets []*peerTarget
	for _, job := range c.Jobs {
		for client, dsn := range job.StaticConfigs[0].Targets {
			db, err := openPeer(dsn)
			if err != nil {
				return nil, err
			}
			db.SetMaxOpenConns(c.Global.MaxConnections)
			db.SetMaxIdleConns(c.Global.MaxIdleConnections)
			labels := prometheus.Labels{"client": client}
			targets = append(targets, &peerTarget{
				job: job.JobName, db: db, queries: collector.queries(labels),
				up: peerMetric{prometheus.NewDesc("up", "1 if the target is reachable.", nil, labels), nil, []string{"up"}, false},
			})
		}
	}
	return targets, nil
}

// queries returns each query with its metrics.
func (c peerCollector) queries(labels prometheus.Labels) []*peerQuery {
	var queries []*peerQuery
	for _, query := range c.Queries {
		q := &peerQuery{text: query.Query}
		for _, m := range c.Metrics {
			if m.QueryRef != query.Name {
				continue
			}
			names := m.KeyLabels
			if m.ValueLabel != "" {
				names = append(names[:len(names):len(names)], m.ValueLabel)
			}
			q.metrics = append(q.metrics, peerMetric{
				prometheus.NewDesc(m.Name, m.Help, names, labels), m.KeyLabels, m.Values, m.ValueLabel != "",
			})
		}
		queries = append(queries, q)
	}
	return queries
}

func openPeer(dsn string) (*sql.DB, error) {
	address, err := url.Parse(dsn)
	if err != nil {
		return nil, err
	}
	if address.Scheme == "mysql" {
		password, _ := address.User.Password()
		return sql.Open("mysql", fmt.Sprintf("%s:%s@tcp(%s)%s", address.User.Username(), password, address.Host, address.Path))
	}
	return sql.Open("pgx", dsn)
}

func readYAML(file string, into any) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}
