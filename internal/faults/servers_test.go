//go:build faults

package faults

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// A link is what lies between the exporter and a server.
type link struct {
	address string
	target  string
	mode    atomic.Int32
}

const (
	passing int32 = iota
	slow          // each packet takes its time
	silent        // nothing comes through, and connections of this time never say anything again
	refusing
)

func newLink(t *testing.T, target string) *link {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	check(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	l := &link{address: listener.Addr().String(), target: target}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go l.serve(t, conn)
		}
	}()
	return l
}

func (l *link) serve(t *testing.T, conn net.Conn) {
	defer func() { _ = conn.Close() }()
	server, err := new(net.Dialer).DialContext(t.Context(), "tcp", l.target)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	var dead atomic.Bool
	pump := func(to, from net.Conn) {
		defer func() { _, _ = to.Close(), from.Close() }()
		buffer := make([]byte, 16<<10)
		for {
			// What has nothing to say looks now and then whether it is refused.
			_ = from.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
			n, err := from.Read(buffer)
			mode := l.mode.Load()
			if mode == refusing || err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
				return
			}
			if mode == slow && n > 0 {
				time.Sleep(time.Second)
			}
			if mode == silent {
				dead.Store(true)
			}
			if n > 0 && !dead.Load() {
				if _, err := to.Write(buffer[:n]); err != nil {
					return
				}
			}
		}
	}
	var both sync.WaitGroup
	both.Go(func() { pump(server, conn) })
	both.Go(func() { pump(conn, server) })
	both.Wait()
}

// A folder is an SFTP server each of whose folders holds so many files of a size, and which has words about reading them.
type folder struct {
	mu    sync.Mutex
	files int
	size  uint64
	words string
}

func (f *folder) set(files int, size uint64, words string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.files, f.size, f.words = files, size, words
}

func (f *folder) get() (files int, size uint64, words string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.files, f.size, f.words
}

// location starts the server, and returns the settings of a location on it.
func (f *folder) location(t *testing.T) string {
	t.Helper()
	l := testserver.ScriptedSSH(t, &ssh.ServerConfig{}, f.serve)
	return location(t, l.Address, l.KnownHosts.Path(), l.Path)
}

// location returns the settings of a drop folder that is read with a password.
func location(t *testing.T, address, knownHosts, path string) string {
	t.Helper()
	password := filepath.Join(t.TempDir(), "password")
	check(t, os.WriteFile(password, []byte(testserver.Password), 0o600))
	return fmt.Sprintf("reset_inventory: [{source: wms, config_ids: [RESET_INVENTORY]}], sftp: [{location: odd, source: wms, address: %q, username: %s, "+
		"password_file: %q, known_hosts_file: %q, path: %q, pattern: '*', archive: archive, failed: failed, format: reset_inventory}]",
		address, testserver.User, password, knownHosts, path)
}

// serve answers requests of SFTP version 3 (draft-ietf-secsh-filexfer-02), whose values are written as SSH's are.
func (f *folder) serve(rw io.ReadWriter) {
	sent := 0
	for {
		var head struct {
			Length uint32
			Kind   byte
			ID     uint32
		}
		if binary.Read(rw, binary.BigEndian, &head) != nil {
			return
		}
		if _, err := io.CopyN(io.Discard, rw, int64(head.Length)-5); err != nil {
			return
		}
		kind, body := byte(101), ssh.Marshal(struct { // a status: the end
			Code        uint32
			Words, Lang string
		}{1, "", ""})
		_, size, words := f.get()
		switch head.Kind {
		case 1: // init, whose id is the version
			kind, body, head.ID = 2, nil, 3
		case 3: // open
			body = ssh.Marshal(struct {
				Code        uint32
				Words, Lang string
			}{4, words, ""})
		case 4: // close
			body[3] = 0
		case 11: // open a folder
			sent = 0
			kind, body = 102, ssh.Marshal(struct{ Handle string }{"h"})
		case 12: // read a folder
			if names, n := f.names(sent); n > 0 {
				sent += n
				kind, body = 104, names
			}
		case 8, 17: // attributes
			kind, body = 105, ssh.Marshal(struct {
				Flags uint32
				Size  uint64
			}{1, size})
		}
		answer := append(binary.BigEndian.AppendUint32(nil, uint32(5+len(body))), kind)
		if _, err := rw.Write(append(binary.BigEndian.AppendUint32(answer, head.ID), body...)); err != nil {
			return
		}
	}
}

// names returns the next entries of a folder.
func (f *folder) names(sent int) ([]byte, int) {
	files, size, _ := f.get()
	n := min(1000, files-sent)
	names := binary.BigEndian.AppendUint32(nil, uint32(max(0, n)))
	at := uint32(time.Now().Unix()) - 60
	for i := range n {
		names = append(names, ssh.Marshal(struct {
			Name, Long               string
			Flags                    uint32
			Size                     uint64
			Mode, Accessed, Modified uint32
		}{fmt.Sprintf("inventory_reset_20260302_%07d.csv", sent+i), "-rw-r--r--", 1 | 4 | 8, size, 0o100644, at, at})...)
	}
	return names, n
}

// A board is as much of a Superset's API as the exporter uses: the dashboard d with twelve charts, whose data and queries
// become what they should not be while bad is set.
type board struct{ bad atomic.Bool }

func (b *board) settings(t *testing.T) string {
	t.Helper()
	const size = 32<<20 - 100
	saved := `{"result":{"query_context":"{\"queries\":[{\"metrics\":[\"x\"]}]}"}}`
	null := []byte(`{"result":{"query_context":"null"}}`)
	query := []byte(`{"result":{"query_context":"{\"queries\":[` + strings.Repeat("[],", 8<<20/3) + `[]]}"}}`)
	bombs := [][]byte{
		[]byte(strings.Repeat("[", size)),
		[]byte(`{"result":[{"data":[{"x":` + strings.Repeat("[", size)),
		[]byte(`{"result":[{"data":[{"x":[` + strings.Repeat("[],", size/3) + "[]]}]}]}"),
		[]byte(`{"result":[{"data":[{"x":"` + strings.Repeat("x", size) + `"}]}]}`),
	}
	var list []string
	for id := range 12 {
		list = append(list, fmt.Sprintf(`{"id":%d,"slice_name":"c%d","form_data":{"viz_type":"big_number_total"}}`, id, id))
	}
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		page := strings.TrimPrefix(r.URL.Path, "/api/v1/")
		chart, ofChart := strings.CutPrefix(page, "chart/")
		answer := []byte(`{"message":"Not found"}`)
		switch {
		case page == "security/login":
			answer, _ = json.Marshal(map[string]string{"access_token": "a", "refresh_token": "b"})
		case page == "dashboard/d":
			answer = []byte(`{"result":{"id":1,"json_metadata":null,"position_json":null}}`)
		case page == "dashboard/1/charts":
			answer = []byte(`{"result":[` + strings.Join(list, ",") + `]}`)
		case page == "dashboard/1/datasets":
			answer = []byte(`{"result":[]}`)
		case page == "chart/data" && b.bad.Load():
			answer = bombs[int(asked.Add(1))%len(bombs)]
		case page == "chart/data":
			answer = []byte(`{"result":[{"cached_dttm":"2026-03-02T07:00:00","data":[{"x":1}]}]}`)
		case b.bad.Load() && chart == "0":
			answer = null
		case b.bad.Load() && (chart == "1" || chart == "2" || chart == "3"):
			answer = query
		case ofChart:
			answer = []byte(saved)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = w.Write(answer)
	}))
	t.Cleanup(server.Close)
	password := filepath.Join(t.TempDir(), "password")
	check(t, os.WriteFile(password, []byte(testserver.Password), 0o600))
	return fmt.Sprintf("superset: {url: %q, username: %s, password_file: %q, dashboards: [d], interval: 1m}", server.URL, testserver.User, password)
}
