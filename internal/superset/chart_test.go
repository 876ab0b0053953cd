package superset

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// TestSentQuery shows what is sent for a chart's data: the saved query, never with force, and with the chart and the
// dashboard by which Superset judges who may see them.
func TestSentQuery(t *testing.T) {
	for name, test := range map[string]struct{ saved, sent string }{
		"as Superset saves it": {
			`{"datasource":{"id":1,"type":"table"},"force":true,"form_data":{"slice_id":3,"viz_type":"table"},` +
				`"queries":[{"columns":["order_id"],"row_limit":10}],"result_format":"csv","result_type":"samples"}`,
			`{"datasource":{"id":1,"type":"table"},"force":false,"form_data":{"dashboardId":1,"slice_id":7,"viz_type":"table"},` +
				`"queries":[{"columns":["order_id"],"row_limit":10}],"result_format":"json","result_type":"full"}`,
		},
		"without a form": {
			`{"datasource":{"id":1,"type":"table"},"queries":[{}],"form_data":null}`,
			`{"datasource":{"id":1,"type":"table"},"force":false,"form_data":{"dashboardId":1,"slice_id":7},"queries":[{}],` +
				`"result_format":"json","result_type":"full"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			saved, err := json.Marshal(test.saved)
			must(t, err)
			var sent []string
			f := newFake(t, map[string]http.HandlerFunc{
				chartPage: answerJSON(200, `{"result":{"query_context":`+string(saved)+`}}`),
				dataPage: func(w http.ResponseWriter, r *http.Request) {
					body, _ := io.ReadAll(r.Body)
					sent = append(sent, string(body))
					answerJSON(200, `{"result":[{"data":[]}]}`)(w, r)
				},
			})
			run, err := look(t, open(t, NewPool(time.Now), by(t, f.URL, testserver.User), "d"), 0)
			must(t, err)
			compare(t, failed(run), map[string]string{"c": "ok"})
			if len(sent) != 1 || sent[0] != test.sent {
				t.Errorf("sent\n%s\nwant\n%s", sent, test.sent)
			}
		})
	}
}
