package sqldb

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/sqlread"
)

// Survey implements oms.Source. Each list is read in a transaction of its own, so that one that fails costs no other.
func (s *Source) Survey(ctx context.Context, now time.Time) (oms.Survey, error) {
	var found oms.Survey
	list := func(statement string, fn func(sqlread.Record)) (known bool, err error) {
		err = s.db.Read(ctx, s.instance.lane, now, func(ctx context.Context, r *sqlread.Reader) error {
			found.Unseen = unseen(r.Schema)
			if known = r.Has(statement); !known {
				return nil
			}
			return r.Query(ctx, statement, nil, fn)
		})
		return known && err == nil, err
	}
	zones := func(statement, count string) (oms.List[string], error) {
		counts := map[string]int{}
		known, err := list(statement, func(rec sqlread.Record) {
			if zone := strings.TrimSpace(rec.Text("zone")); zone != "" {
				counts[zone] += rec.Count(count)
			}
		})
		all := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
			return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(a, b))
		})
		return oms.List[string]{Known: known, All: all}, err
	}
	var errs [3]error
	found.StoreZones, errs[0] = zones("survey_store_zones", "stores")
	found.ScheduleZones, errs[1] = zones("survey_schedule_zones", "jobs")
	var configs []oms.SurveyedConfig
	found.Configs.Known, errs[2] = list("survey_configs", func(rec sqlread.Record) {
		configs = append(configs, oms.SurveyedConfig{
			FileConfig: fileConfig(rec), Description: rec.Text("description"), ImportService: rec.Text("import_service_name"),
			ImportPath: rec.Text("import_path"), Pattern: rec.Text("file_name_pattern"),
		})
	})
	slices.SortFunc(configs, func(a, b oms.SurveyedConfig) int { return strings.Compare(a.Config, b.Config) })
	found.Configs.All = configs
	return found, errors.Join(errs[:]...)
}

// unseen lists what only the survey reads, and cannot be.
func unseen(s *sqlread.Schema) (all []oms.Column) {
	if !s.Has("product_store") {
		all = append(all, oms.Column{Table: "product_store", Column: "default_time_zone_string"})
	}
	for _, c := range []oms.Column{
		{Table: "job_sandbox", Column: "recurrence_time_zone"}, {Table: "data_manager_config", Column: "description"},
		{Table: "data_manager_config", Column: "import_service_name"}, {Table: "data_manager_config", Column: "import_path"},
		{Table: "data_manager_config", Column: "file_name_pattern"},
	} {
		if s.Has(c.Table) && !s.Column(c.Table, c.Column) {
			all = append(all, c)
		}
	}
	return all
}

// LastFiles implements oms.Source.
func (s *Source) LastFiles(ctx context.Context, now time.Time, config string) ([]time.Time, error) {
	var processed []time.Time
	err := s.db.Read(ctx, s.files.lane, now, func(ctx context.Context, r *sqlread.Reader) error {
		return r.Query(ctx, "files_of_config", sqlread.Args{"config": config}, func(rec sqlread.Record) {
			row := decodeFile(rec, config, s.files.states[rec.Text("status_id")], true)
			if succeeded(row.Attributes()) {
				processed = append(processed, row.End.At(now))
			}
		})
	})
	slices.SortFunc(processed, time.Time.Compare)
	return processed, err
}
