package config

import (
	"net/url"
	"strings"
	"time"
	"unicode"

	"go.yaml.in/yaml/v3"
)

const (
	defaultSupersetInterval = 5 * time.Minute
	// A run may take as long as its interval, and the guide has people look three times a day.
	minSupersetInterval = time.Minute
	maxSupersetInterval = 12 * time.Hour
)

func (r *reader) superset(n *yaml.Node) Superset {
	const (
		urlHint  = "where the server's pages begin, such as https://tathya.example.com"
		listHint = "slugs, ids or titles such as [krewe-order-sync]"
	)
	s := Superset{Account: SupersetAccount{Provider: SupersetDB}, Interval: defaultSupersetInterval}
	nodes := map[string]*yaml.Node{}
	var address, tls *yaml.Node
	keep := func(key string) field { return field{read: func(n *yaml.Node) { nodes[key] = n }} }
	r.fields(n, "superset", map[string]field{
		"url": {need: urlHint, read: func(n *yaml.Node) {
			address = n
			r.checked(n, &s.Account.URL, "superset.url", urlHint, urlFault)
			s.Account.URL = strings.TrimRight(s.Account.URL, "/")
		}},
		"username":      keep("username"),
		"password":      keep("password"),
		"password_file": keep("password_file"),
		"token_file":    keep("token_file"),
		"provider":      keep("provider"),
		"dashboards": {need: listHint, read: func(n *yaml.Node) {
			s.Dashboards = r.names(n, "superset.dashboards", listHint, map[string]int{})
			r.notEmpty(n, "superset.dashboards", listHint)
		}},
		"tls": {bare: true, read: func(n *yaml.Node) { tls = n }},
		"interval": {read: func(n *yaml.Node) {
			s.Interval = r.duration(n, "superset.interval", "a duration such as 5m", "from 1m to 12h",
				func(d time.Duration) bool { return minSupersetInterval <= d && d <= maxSupersetInterval })
		}},
	})
	r.supersetLogin(n, &s.Account, nodes)
	u, err := url.Parse(s.Account.URL)
	plain := err == nil && u.Scheme == "http"
	if tls != nil {
		s.Account.TLS = r.tls(tls, "superset.tls")
		if plain {
			r.fail(tls.Line, "superset.tls is set, but superset.url has no TLS: write https:// there, or remove tls")
		}
	} else if plain && !local(u.Hostname()) {
		r.warn(address.Line, "superset.url sends the login and the data over the network in plain text: write https://")
	}
	return s
}

// supersetLogin reads the one way by which the exporter gets into a Superset.
func (r *reader) supersetLogin(n *yaml.Node, a *SupersetAccount, nodes map[string]*yaml.Node) {
	const userHint = "the name of a user who may only read"
	if token := nodes["token_file"]; token != nil {
		for _, key := range []string{"username", "password", "password_file", "provider"} {
			if nodes[key] != nil {
				r.fail(nodes[key].Line, "superset.token_file and superset.%s are both set: remove one of the two", key)
			}
		}
		a.Provider = ""
		a.Token = r.fileSecret(token, "superset.token_file", "the token", tokenFault)
		return
	}
	if nodes["username"] == nil {
		r.fail(n.Line, "superset.username is missing: write %s, or as superset.token_file the path of a file that contains a "+
			"bearer token", userHint)
	} else {
		a.Username, _ = r.text(nodes["username"], "superset.username", userHint)
	}
	if provider := nodes["provider"]; provider != nil {
		text := string(SupersetDB)
		r.checked(provider, &text, "superset.provider", "db or ldap", providerFault)
		a.Provider = SupersetProvider(text)
	}
	switch file, variable := nodes["password_file"], nodes["password"]; {
	case file != nil && variable != nil:
		r.fail(variable.Line, "superset.password_file and superset.password are both set: remove one of the two")
	case file != nil:
		a.Password = r.fileSecret(file, "superset.password_file", "the password", anything)
	case variable != nil:
		a.Password = r.envPassword(variable, "superset.password")
	case nodes["username"] != nil:
		r.fail(n.Line, "superset.password_file is missing: write the path of a file that contains the password, "+
			"or as superset.password %s", variableHint)
	}
}

// urlFault takes nothing behind the path, and no user: a password does not belong into an address.
func urlFault(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" ||
		u.Fragment != "" || strings.ContainsAny(text, "?#") {
		return " is not the address of a server"
	}
	return ""
}

func providerFault(text string) string {
	if text != string(SupersetDB) && text != string(SupersetLDAP) {
		return " is not known"
	}
	return ""
}

// tokenFault says what is wrong with a token: it is sent as a header, which takes no such thing.
func tokenFault(token string) string {
	if strings.ContainsFunc(token, func(c rune) bool { return unicode.IsSpace(c) || unicode.IsControl(c) }) {
		return " contains white space or a control character: write the token alone into it"
	}
	return ""
}
