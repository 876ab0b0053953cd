package demo

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

func (d *Demo) serveFault(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		io.WriteString(w, d.listFaults()) //nolint:errcheck,gosec // the caller has gone
	case http.MethodPost:
		d.switchFault(w, r)
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		http.Error(w, "use POST to inject or clear a fault, GET to list the faults", http.StatusMethodNotAllowed)
	}
}

func (d *Demo) switchFault(w http.ResponseWriter, r *http.Request) {
	on, err := strconv.ParseBool(r.FormValue("on"))
	if err != nil {
		http.Error(w, fmt.Sprintf("on=%q: write on=true or on=false", r.FormValue("on")), http.StatusBadRequest)
		return
	}
	c, f, err := d.find(r.FormValue("client"), r.FormValue("name"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if err := d.SetFault(r.Context(), c.name, f.Name, on); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	fmt.Fprintf(w, "%s: %s is %s\n", c.name, f.Name, onOff(on)) //nolint:errcheck // the caller has gone
}

func (d *Demo) listFaults() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var list strings.Builder
	list.WriteString("Inject a fault with POST ?client=…&name=…&on=true; clear it with on=false\n")
	for _, c := range d.clients {
		fmt.Fprintf(&list, "\n%s\n", c.name)
		for _, f := range Faults() {
			fmt.Fprintf(&list, "  %-20s %-3s  %s\n", f.Name, onOff(c.on[f.Name]), f.Description)
		}
	}
	return list.String()
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}
