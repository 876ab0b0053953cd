package main

// The part of Grafana's dashboard schema that is used here. It means the same in Grafana 9.4 to 12.

type dashboard struct {
	UID           string          `json:"uid"`
	Title         string          `json:"title"`
	Description   string          `json:"description"`
	Tags          []string        `json:"tags"`
	Timezone      string          `json:"timezone"`
	SchemaVersion int             `json:"schemaVersion"`
	Editable      bool            `json:"editable"`     // no: they are made by this program
	GraphTooltip  int             `json:"graphTooltip"` // 1: the crosshair is shared
	Refresh       string          `json:"refresh"`
	Time          timeRange       `json:"time"`
	Links         []dashboardLink `json:"links"`
	Templating    list[variable]  `json:"templating"`
	Annotations   list[mark]      `json:"annotations"`
	Panels        []panel         `json:"panels"`
}

type timeRange struct {
	From string `json:"from"`
	To   string `json:"to"`
}

type list[T any] struct {
	List []T `json:"list"`
}

// dashboardLink is a menu of the dashboards with a tag, or a link.
type dashboardLink struct {
	Title       string   `json:"title"`
	Type        string   `json:"type"`
	Tags        []string `json:"tags"`
	AsDropdown  bool     `json:"asDropdown"`
	IncludeVars bool     `json:"includeVars"`
	KeepTime    bool     `json:"keepTime"`
	Icon        string   `json:"icon"`
	URL         string   `json:"url"`
	Tooltip     string   `json:"tooltip"`
	TargetBlank bool     `json:"targetBlank"`
}

type variable struct {
	Name       string      `json:"name"`
	Label      string      `json:"label"`
	Type       string      `json:"type"`
	Datasource *datasource `json:"datasource,omitempty"`
	Query      any         `json:"query"`
	Refresh    int         `json:"refresh"` // 1: when the dashboard is opened; 2: when its time range changes
	Multi      bool        `json:"multi"`
	IncludeAll bool        `json:"includeAll"`
	AllValue   string      `json:"allValue,omitempty"`
	Sort       int         `json:"sort"` // 1: alphabetically
	Current    selection   `json:"current"`
}

// selection is what a variable is set to when the dashboard is opened; empty is the first choice.
type selection struct {
	Text  string `json:"text,omitempty"`
	Value string `json:"value,omitempty"`
}

type variableQuery struct {
	Query string `json:"query"`
	RefID string `json:"refId"`
}

type datasource struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

// mark is an annotation in every graph: a line, or a region for as long as its series has values. With UseValueForTime the values are the
// times of lines, in milliseconds.
type mark struct {
	Name            string      `json:"name"`
	Datasource      *datasource `json:"datasource"`
	Enable          bool        `json:"enable"`
	IconColor       string      `json:"iconColor"`
	Expr            string      `json:"expr"`
	Step            string      `json:"step"`
	TitleFormat     string      `json:"titleFormat"`
	TextFormat      string      `json:"textFormat"`
	UseValueForTime bool        `json:"useValueForTime"`
}

type panel struct {
	ID              int              `json:"id"`
	Type            string           `json:"type"`
	Title           string           `json:"title"`
	Description     string           `json:"description,omitempty"`
	GridPos         gridPos          `json:"gridPos"`
	Collapsed       bool             `json:"collapsed,omitempty"` // of a row
	Panels          []panel          `json:"panels,omitzero"`     // of a collapsed row; empty while it is open
	Datasource      *datasource      `json:"datasource,omitempty"`
	Interval        string           `json:"interval,omitempty"`
	MaxDataPoints   int              `json:"maxDataPoints,omitempty"`
	TimeFrom        string           `json:"timeFrom,omitempty"` // another range than the dashboard's
	Targets         []target         `json:"targets,omitempty"`
	Transformations []transformation `json:"transformations,omitempty"`
	FieldConfig     *fieldConfig     `json:"fieldConfig,omitempty"`
	Options         any              `json:"options,omitempty"`
}

type gridPos struct {
	X int `json:"x"`
	Y int `json:"y"`
	W int `json:"w"`
	H int `json:"h"`
}

type target struct {
	RefID        string      `json:"refId"`
	Datasource   *datasource `json:"datasource"`
	Expr         string      `json:"expr"`
	LegendFormat string      `json:"legendFormat,omitempty"`
	Format       string      `json:"format,omitempty"`
	Instant      bool        `json:"instant"`
	Range        bool        `json:"range"`
}

type transformation struct {
	ID      string `json:"id"`
	Options any    `json:"options"`
}

type orderBy struct {
	Sort []orderField `json:"sort"`
}

type orderField struct {
	Field string `json:"field"`
	Desc  bool   `json:"desc"`
}

type organize struct {
	ExcludeByName map[string]bool   `json:"excludeByName,omitempty"`
	IndexByName   map[string]int    `json:"indexByName,omitempty"`
	RenameByName  map[string]string `json:"renameByName,omitempty"`
}

type fieldConfig struct {
	Defaults  field      `json:"defaults"`
	Overrides []override `json:"overrides"`
}

type field struct {
	Unit       string      `json:"unit,omitempty"`
	Decimals   *int        `json:"decimals,omitempty"`
	NoValue    string      `json:"noValue,omitempty"`
	Color      *color      `json:"color,omitempty"`
	Thresholds *thresholds `json:"thresholds,omitempty"`
	Mappings   []mapping   `json:"mappings,omitempty"`
	Links      []link      `json:"links,omitempty"`
	Custom     any         `json:"custom,omitempty"`
}

type color struct {
	Mode       string `json:"mode"`
	FixedColor string `json:"fixedColor,omitempty"`
}

type thresholds struct {
	Mode  string `json:"mode"`
	Steps []step `json:"steps"`
}

// step is a threshold; the first has no value, which is the only null in a file.
type step struct {
	Color string `json:"color"`
	Value *int   `json:"value"`
}

// mapping shows words in the place of values: by value, or of a special one such as "nan".
type mapping struct {
	Type    string `json:"type"`
	Options any    `json:"options"`
}

type special struct {
	Match  string `json:"match"`
	Result result `json:"result"`
}

type result struct {
	Text  string `json:"text"`
	Color string `json:"color,omitempty"`
	Index int    `json:"index"`
}

type link struct {
	Title       string `json:"title"`
	URL         string `json:"url"`
	TargetBlank bool   `json:"targetBlank,omitempty"`
}

type override struct {
	Matcher    matcher    `json:"matcher"`
	Properties []property `json:"properties"`
}

type matcher struct {
	ID      string `json:"id"`
	Options string `json:"options"`
}

type property struct {
	ID    string `json:"id"`
	Value any    `json:"value"`
}
