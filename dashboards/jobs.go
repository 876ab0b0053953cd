package main

func jobKey() key { return key{label: "job_name", title: "Job"} }

// jobsSection has what one needs to fix a job that hangs or fails.
func jobsSection() section {
	return section{"Jobs", []panel{
		table("Runs of more than 15 minutes", "Edit the run by its job id in the web tools. A row without a job means that there is no such run.",
			[]key{clientKey(), jobKey(), {label: "job_id", title: "Job id", width: 90}, {label: "oms_instance", title: "Instance", width: 120}},
			column{
				ref: "running", title: "Running for", unit: duration, width: 100,
				expr: `max by (client, job_name, job_id, oms_instance) (oms_job_long_running_seconds{client=~"$client"})` + noRow("jobs"),
			},
			column{
				ref: "usual", title: "Usually", unit: duration, width: 90,
				expr: `max by (client, job_name, job_id, oms_instance) (
  0 * oms_job_long_running_seconds{client=~"$client"}
  + on (client, job_name) group_left () max by (client, job_name) (oms_job_usual_duration_seconds)
)`,
			},
			column{
				ref: "share", title: "Of that", unit: "percentunit", width: 80, colors: steps("text", from(2, "orange")),
				expr: `max by (client, job_name, job_id, oms_instance) (
  oms_job_long_running_seconds{client=~"$client"}
  / on (client, job_name) group_left () max by (client, job_name) (oms_job_usual_duration_seconds > 0)
)`,
			},
			sign("stuck", "State", `2 + 0 * max by (client, job_name, job_id, oms_instance) (oms:job_stuck{client=~"$client"})
or
1 + 0 * max by (client, job_name, job_id, oms_instance) (oms_job_long_running_seconds{client=~"$client"})`+noRow("jobs")+orUnknown("jobs", "job_name", isUnknown)),
		).sorted("Running for", true).size(screenWidth, 7),
		table("Runs overdue for more than 15 minutes", "Runs that have not started, with the server that claimed them, if any. A row without a job means that there is no such run.",
			[]key{
				clientKey(), jobKey(), {label: "job_id", title: "Job id", width: 90}, {label: "pool", title: "Pool", width: 90},
				{label: "oms_instance", title: "Claimed by", width: 120},
			},
			column{
				ref: "overdue", title: "Overdue for", unit: duration, width: 100,
				expr: `max by (client, job_name, job_id, pool, oms_instance) (oms_job_long_overdue_seconds{client=~"$client"})` + noRow("jobs") + orUnknown("jobs", "job_name", notKnown),
			}).sorted("Overdue for", true).size(screenWidth, 7),
		table("Failing jobs", "Jobs whose last run failed or crashed, or that had a failed run within 24 hours. ✗: the failures have reached the limit, or an alert fires. A row without a job means that there is none.",
			[]key{clientKey(), jobKey()},
			sign("state", "State", `2 + 0 * max by (client, job_name) (
  oms_job_consecutive_failures{client=~"$client"} >= on (client, job_name) group_left () oms:job_failures_limit
  or
  ALERTS{alertname=~"OMSJobFailing.*|OMSJobGaveUp", alertstate="firing", client=~"$client"}
)
or
1 + 0 * (max by (client, job_name) (oms_job_consecutive_failures{client=~"$client"}) > 0)`+noRow("jobs")+orUnknown("jobs", "job_name", isUnknown)),
			column{
				ref: "failures", title: "In a row", unit: "none", width: 80,
				expr: `(max by (client, job_name) (oms_job_consecutive_failures{client=~"$client"}) > 0)` + noRow("jobs"),
			},
			column{
				ref: "first", title: "First", unit: ago,
				expr: `1000 * max by (client, job_name) (oms_job_first_failure_timestamp_seconds{client=~"$client"})`,
			},
			column{
				ref: "success", title: "Last success", unit: ago,
				expr: `1000 * max by (client, job_name) (
  oms_job_last_success_timestamp_seconds{client=~"$client"} and on (client, job_name) oms_job_consecutive_failures > 0
)`,
			},
			column{
				ref: "recent", title: "In 24 h", unit: "none", width: 70,
				expr: `(max by (client, job_name) (oms_job_recent_failures{client=~"$client"}) > 0)` + noRow("jobs"),
			},
			column{
				ref: "share", title: "Of its runs", unit: share, width: 90,
				expr: `(max by (client, job_name) (oms_job_recent_failures{client=~"$client"}) > 0)
/ max by (client, job_name) (oms_job_recent_runs{client=~"$client"})` + noRow("jobs"),
			}).sorted("In a row", true).size(screenWidth, 8),
		table("Jobs without a next run", "Lost since: when the job should have run by its usual interval, although no run is pending, queued or running. Unreadable: Moqui rejects its schedule. A row without a job means that there is none.",
			[]key{clientKey(), jobKey()},
			column{
				ref: "lost", title: "Lost since", unit: duration, width: 100,
				expr: `(time() - max by (client, job_name) (oms:job_lost{client=~"$client"}))` + noRow("jobs") + orUnknown("jobs", "job_name", notKnown),
			},
			column{
				ref: "interval", title: "Ran every", unit: duration, width: 100,
				expr: `max by (client, job_name) (oms_job_usual_interval_seconds{client=~"$client"} and on (client, job_name) oms:job_lost)` + noRow("jobs"),
			},
			column{
				ref: "unreadable", title: "Unreadable", width: 90, words: yesIsBad(),
				expr: `max by (client, job_name) (oms_job_schedule_unreadable{client=~"$client"})` + noRow("jobs"),
			}).sorted("Lost since", true).size(screenWidth, 7),
		graph("Longest run", "Duration of the longest current run, and the limit for jobs without an override.", duration,
			series("{{client}}", `max by (client) (oms_job_running_seconds{client=~"$client"})`),
			limit("job_running_seconds")),
		graph("Runs longer than usual", "Jobs whose last run took longer than 95 % of its last successes, and what these took. Durations vary by their nature: this is no alert.", duration,
			series("{{client}} {{job_name}}", `max by (client, job_name) (oms_job_last_duration_seconds{client=~"$client"})
> on (client, job_name) max by (client, job_name) (oms_job_usual_duration_seconds)`),
			series("{{client}} {{job_name}} usual", `max by (client, job_name) (oms_job_usual_duration_seconds{client=~"$client"})
< on (client, job_name) max by (client, job_name) (oms_job_last_duration_seconds)`),
		).emptyMeans("no run took longer than usual"),
		graph("Failures in a row", "Consecutive failures of failing jobs, and the limit for jobs without an override.", "none",
			series("{{client}} {{job_name}}", `(max by (client, job_name) (oms_job_consecutive_failures{client=~"$client"}) > 0)`+noRow("jobs")),
			limit("job_failures")),
		graph("Oldest overdue job", "How long the oldest due job is overdue, by pool, and the limit that applies while other jobs start.", duration,
			series("{{client}} {{pool}}", `max by (client, pool) (oms_job_oldest_overdue_seconds{client=~"$client"})`),
			limit("job_overdue_seconds")),
		graph("Since the last start", "Time since the last start of any job, by pool, and the limit while a job is due.", duration,
			series("{{client}} {{pool}}", `time() - max by (client, pool) (oms_job_last_start_timestamp_seconds{client=~"$client"})`),
			limit("scheduler_idle_seconds")),
		graph("Jobs by status", "Pending, queued and running.", "none",
			series("{{client}} {{status}}", `max by (client, status) (oms_jobs{client=~"$client"})`)).size(screenWidth, 8),
		table("Servers", "Servers that run jobs: their last activity, how long the oldest job that they claimed has been waiting, and whether a job-manager lock is active (_NA_ means all servers).",
			[]key{clientKey(), {label: "oms_instance", title: "Instance"}},
			column{
				ref: "silent", title: "Last activity", unit: ago,
				expr: `1000 * max by (client, oms_instance) (oms_instance_last_activity_timestamp_seconds{client=~"$client"})`,
			},
			column{
				ref: "claimed", title: "Claimed job waits", unit: duration, width: 130,
				expr: `max by (client, oms_instance) (oms_job_oldest_claimed_seconds{client=~"$client"})`,
			},
			column{
				ref: "locked", title: "Locked", width: 80, words: yesIsBad(),
				expr: `max by (client, oms_instance) (oms_job_scheduler_locked{client=~"$client"})`,
			}).size(screenWidth, 7),
	}}
}

// jobs shows every job of every client.
func jobs() dashboard {
	s := jobsSection()
	s.panels = append(s.panels, table("All jobs", "All jobs that ran within the last 7 days, by name.",
		[]key{clientKey(), jobKey()},
		column{
			ref: "success", title: "Last success", unit: ago,
			expr: `1000 * max by (client, job_name) (oms_job_last_success_timestamp_seconds{client=~"$client"})`,
		},
		column{
			ref: "duration", title: "Last duration", unit: duration, width: 120,
			expr: `max by (client, job_name) (oms_job_last_duration_seconds{client=~"$client"})`,
		},
		column{
			ref: "running", title: "Running for", unit: duration, width: 120,
			expr: `max by (client, job_name) (oms_job_running_seconds{client=~"$client"})`,
		},
		column{
			ref: "failures", title: "Failures in a row", unit: "none", width: 140,
			expr: `max by (client, job_name) (oms_job_consecutive_failures{client=~"$client"})`,
		}).sorted("Last success", false).size(screenWidth, 14))
	return newDashboard("oms-jobs", "OMS jobs", "Jobs of all clients that hang, fail or do not start.", "now-24h", s)
}
