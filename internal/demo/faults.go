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
// removed, so that everything has a fresh timestamp and is found by readers of changes.
type fault struct {
	Fault
	set func(c *client, on bool)
}

func faults() []fault {
	return []fault{
		{Fault{"order-stuck", "an order has been in status created for more than 3 hours"}, (*client).setOrderStuck},
		{Fault{"order-unfulfilled", "approved orders have been waiting for brokering for more than 24 hours"}, (*client).setOrderUnfulfilled},
		{Fault{"unfillable", "many orders are in the unfillable parking, the oldest for more than 24 hours"}, (*client).setUnfillable},
		{Fault{retryStorm, "routing retries many unfillable orders repeatedly, the oldest for more than 24 hours"}, (*client).setRetryStorm},
		{Fault{erpStopped, "approved orders have not reached the ERP for more than 4 hours"}, (*client).setERPStopped},
		{Fault{importStalled, "no order has entered the OMS for hours"}, (*client).setImportStalled},
		{Fault{"job-stuck", "a job has been running for more than 45 minutes, and its server is up"}, (*client).setJobStuck},
		{Fault{instanceDied, "a server died while it was running several jobs"}, (*client).setInstanceDied},
		{Fault{jobFailing, "a job fails repeatedly"}, (*client).setJobFailing},
		{Fault{jobClaimed, "a server died with jobs that it had claimed and not started"}, (*client).setJobClaimed},
		{Fault{jobFlaky, "a job fails in two of three runs"}, (*client).setJobFlaky},
		{Fault{"schedule-lost", "a job is no longer scheduled, although nobody cancelled it"}, (*client).setScheduleLost},
		{Fault{schedulerDown, "due jobs do not start"}, (*client).setSchedulerDown},
		{Fault{fileMissing, "no reset-inventory file was delivered by the deadline"}, (*client).setFileMissing},
		{Fault{fileLate, "the reset-inventory file was fetched from the SFTP server, but not imported by the deadline"}, (*client).setFileLate},
		{Fault{fileStuck, "the reset-inventory file is still on the SFTP server after the deadline"}, (*client).setFileStuck},
		{Fault{fileBackdated, "the reset-inventory file is still on the SFTP server, uploaded with a modification time of days ago"}, (*client).setFileBackdated},
		{Fault{"file-invalid", "a spreadsheet is on the SFTP server instead of a reset-inventory file"}, (*client).setFileInvalid},
		{Fault{fileFailed, "the reset-inventory file has failed"}, (*client).setFileFailed},
		{Fault{fileEmpty, "the reset-inventory file had no records"}, (*client).setFileEmpty},
		{Fault{configWrong, "the data-manager configuration of the reset-inventory files is disabled, but still in the exporter's configuration"}, (*client).setConfigWrong},
		{Fault{"dm-pending", "a data-manager file has been pending for more than an hour"}, (*client).setFilePending},
		{Fault{dmFailed, "data-manager files fail"}, (*client).setFilesFailing},
		{Fault{filesFlaky, "every third data-manager file of a configuration fails"}, (*client).setFilesFlaky},
		{Fault{timezoneWrong, "the servers of the OMS write timestamps in another time zone than the exporter's configuration says"}, (*client).setTimezoneWrong},
		{Fault{replicaStopped, "nothing is written to the exporter's database any more, like a replica that has stopped"}, func(*client, bool) {}},
		{Fault{"db-hung", "the database does not respond"}, func(c *client, on bool) { c.hung.Store(on) }},
		{Fault{"sftp-hung", "the SFTP server does not respond"}, func(c *client, on bool) { c.server.hang(on) }},
		{Fault{"sftp-hostkey-changed", "the SFTP server has another host key"}, func(c *client, on bool) { c.server.changeKey(on) }},
		{Fault{"superset-down", "Superset responds with errors for this client"}, func(c *client, on bool) { c.reports.down.Store(on) }},
		{Fault{"chart-error", "a chart queries a column that no longer exists"}, func(c *client, on bool) { c.reports.columnGone.Store(on) }},
		{Fault{"solr-token-expired", "Solr rejects Superset's token"}, func(c *client, on bool) { c.reports.tokenExpired.Store(on) }},
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
