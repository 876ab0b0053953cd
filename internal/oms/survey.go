package oms

// A Survey is from what a client's configuration can be made. Each list is not known where it cannot be read.
type Survey struct {
	// StoreZones are the time zones of the product stores, as they are written there, those of the most stores first.
	StoreZones List[string]
	// ScheduleZones are those of the users who scheduled the jobs that wait, in the same order.
	ScheduleZones List[string]
	// Configs are the configurations of the data manager, by their ids.
	Configs List[SurveyedConfig]
	// Unseen are the columns, read by nothing else, that are missing or may not be read.
	Unseen []Column
}

// SeenDashboard is a dashboard that an account sees. Name is its slug or, where it has none, its id.
type SeenDashboard struct{ Name, Title string }

// SurveyedConfig is what a configuration of the data manager says of itself. What is empty is not known.
type SurveyedConfig struct {
	FileConfig
	Description, ImportService string
	// ImportPath is the folder on the SFTP server from which its files are fetched, Pattern that of their names.
	ImportPath, Pattern string
}
