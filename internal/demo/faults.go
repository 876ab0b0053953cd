package demo

// Fault is something that can go wrong at a simulated client.
type Fault struct{ Name, Description string }

// The faults on which the rest of the simulation depends.
const (
	importStalled = "import-stalled"
	instanceDied  = "instance-died"
	jobFailing    = "job-failing"
	jobClaimed    = "job-claimed"
	jobFlaky      = "job-flaky"
	schedulerDown = "scheduler-down"
	fileMissing   = "file-missing"
	fileLate      = "file-late"
	fileStuck     = "file-stuck-on-sftp"
	fileFailed    = "file-failed"
	dmFailed      = "dm-failed"
	retryStorm    = "retry-storm"
	filesFlaky    = "files-flaky"
	configWrong   = "config-wrong"
	fileEmpty     = "file-empty"
	fileBackdated = "file-backdated"
	erpStopped    = "erp-stopped"
	// These are of the servers, and show in no table as such.
	timezoneWrong  = "timezone-wrong"
	replicaStopped = "replica-stopped"
)

// fault is a Fault with what it does to a client's rows and uploads. What must be old is back-dated; rows are edited rather than
// removed, so that everything bears a fresh stamp and is found by those who read changes.
type fault struct {
	Fault
	set func(c *client, on bool)
}

func faults() []fault {
	return []fault{
		{Fault{"order-stuck", "an order is created for more than 3 hours"}, (*client).setOrderStuck},
		{Fault{"order-unfulfilled", "approved orders wait for brokering for more than 24 hours"}, (*client).setOrderUnfulfilled},
		{Fault{"unfillable", "many orders are in unfillable parking, the oldest for more than 24 hours"}, (*client).setUnfillable},
		{Fault{retryStorm, "routing tries many unfillable orders again and again, the oldest for more than 24 hours"}, (*client).setRetryStorm},
		{Fault{erpStopped, "approved orders have not reached the ERP for more than 4 hours"}, (*client).setERPStopped},
		{Fault{importStalled, "no order has entered for hours"}, (*client).setImportStalled},
		{Fault{"job-stuck", "a job is running for more than 45 minutes, its instance lives"}, (*client).setJobStuck},
		{Fault{instanceDied, "an instance died while it ran several jobs"}, (*client).setInstanceDied},
		{Fault{jobFailing, "a job fails again and again"}, (*client).setJobFailing},
		{Fault{jobClaimed, "an instance died with jobs that it had claimed and not started"}, (*client).setJobClaimed},
		{Fault{jobFlaky, "a job fails two times of three"}, (*client).setJobFlaky},
		{Fault{"schedule-lost", "a job is not scheduled any more, and nobody called it off"}, (*client).setScheduleLost},
		{Fault{schedulerDown, "due jobs are not started"}, (*client).setSchedulerDown},
		{Fault{fileMissing, "no reset-inventory file was delivered for the deadline"}, (*client).setFileMissing},
		{Fault{fileLate, "the reset-inventory file was fetched from SFTP, and not imported by the deadline"}, (*client).setFileLate},
		{Fault{fileStuck, "the reset-inventory file still waits on SFTP after the deadline"}, (*client).setFileStuck},
		{Fault{fileBackdated, "the reset-inventory file still waits on SFTP, uploaded with a time of days ago"}, (*client).setFileBackdated},
		{Fault{"file-invalid", "a spreadsheet waits on SFTP in the place of a reset-inventory file"}, (*client).setFileInvalid},
		{Fault{fileFailed, "the reset-inventory file has failed"}, (*client).setFileFailed},
		{Fault{fileEmpty, "the reset-inventory file had no records"}, (*client).setFileEmpty},
		{Fault{configWrong, "the configuration of reset-inventory files is disabled, and nobody told the exporter"}, (*client).setConfigWrong},
		{Fault{"dm-pending", "a data-manager file is pending for more than an hour"}, (*client).setFilePending},
		{Fault{dmFailed, "data-manager files fail"}, (*client).setFilesFailing},
		{Fault{filesFlaky, "every third data-manager file of a configuration fails"}, (*client).setFilesFlaky},
		{Fault{timezoneWrong, "the servers of the OMS write times in another zone than the exporter was told"}, (*client).setTimezoneWrong},
		{Fault{replicaStopped, "nothing is written any more to the database that the exporter reads"}, func(*client, bool) {}},
		{Fault{"db-hung", "the database does not answer"}, func(c *client, on bool) { c.hung.Store(on) }},
		{Fault{"sftp-hung", "the SFTP server does not answer"}, func(c *client, on bool) { c.server.hang(on) }},
		{Fault{"sftp-hostkey-changed", "the SFTP server has another host key"}, func(c *client, on bool) { c.server.changeKey(on) }},
		{Fault{"superset-down", "Superset answers the client with an error"}, func(c *client, on bool) { c.reports.down.Store(on) }},
		{Fault{"chart-error", "a chart asks for a column that is gone"}, func(c *client, on bool) { c.reports.columnGone.Store(on) }},
		{Fault{"solr-token-expired", "Solr refuses Superset's token"}, func(c *client, on bool) { c.reports.tokenExpired.Store(on) }},
	}
}

// Faults lists what SetFault can switch.
func Faults() []Fault {
	var list []Fault
	for _, f := range faults() {
		list = append(list, f.Fault)
	}
	return list
}
