package sqldb

import (
	"sync"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/history"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/sqlread"
	"github.com/oms-exporter/oms_exporter/internal/walltime"
)

// mostFailedFiles is of how many failed files the jobs are remembered: more than the jobs of any client that fail.
const mostFailedFiles = 500

// fileNotes are what the rows of files show about jobs: when each instance last started or ended a file, and which file a failed job
// should have imported. The reader of files writes them as it reads rows, and the reader of jobs queries them.
type fileNotes struct {
	mu     sync.Mutex
	signs  map[string]walltime.Moment // by instance
	logs   map[string]string          // by job
	failed []string                   // the jobs, in the order in which they were noted
}

// note takes in a row.
func (n *fileNotes) note(rec sqlread.Record, r *history.Row) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if instance := rec.Text("run_by_instance_id"); instance != "" {
		for _, at := range []walltime.Moment{r.Start, rec.Moment("finish_date_time")} {
			if at.Earliest().After(n.signs[instance].Earliest()) {
				if n.signs == nil {
					n.signs = map[string]walltime.Moment{}
				}
				n.signs[instance] = at
			}
		}
	}
	job := rec.Text("job_id")
	if job == "" || !failedFile(r.Attributes()) || n.logs[job] != "" {
		return
	}
	if n.logs == nil {
		n.logs = map[string]string{}
	}
	if n.failed = append(n.failed, job); len(n.failed) > mostFailedFiles {
		delete(n.logs, n.failed[0])
		n.failed = n.failed[1:]
	}
	n.logs[job] = r.ID
}

// complete adds to the facts about jobs what is noted.
func (n *fileNotes) complete(jobs *oms.JobHistory, now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for instance, sign := range n.signs {
		if at := sign.At(now); remembered(at, now) {
			jobs.Activity[instance] = walltime.Later(jobs.Activity[instance], at)
		} else {
			delete(n.signs, instance)
		}
	}
	for _, job := range jobs.Jobs {
		if job.LastFailed != nil && job.LastFailed.Generation == oms.JobOfOFBiz {
			job.LastFailed.DataManagerLog = n.logs[job.LastFailed.JobID]
		}
	}
}
