package deploy_test

import (
	"io"
	"net"
	"net/mail"
	"net/textproto"
	"strings"
	"testing"
)

// A delivered mail, and with whose password it was sent.
type delivered struct {
	credentials string
	message     *mail.Message
}

// mailServer takes mail on a loopback address for the length of the test.
func mailServer(t *testing.T) (address string, mails <-chan delivered) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	received := make(chan delivered, 10)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // the test has ended
			}
			go converse(textproto.NewConn(conn), received)
		}
	}()
	return listener.Addr().String(), received
}

// converse is the server's side of SMTP, as far as Alertmanager speaks it.
func converse(conn *textproto.Conn, received chan<- delivered) {
	defer func() { _ = conn.Close() }()
	var d delivered
	answer := "220 ready"
	for {
		if conn.PrintfLine("%s", answer) != nil {
			return
		}
		line, err := conn.ReadLine()
		if err != nil {
			return
		}
		answer = "250 ok"
		switch verb, argument, _ := strings.Cut(line, " "); verb {
		case "EHLO":
			answer = "250-here\r\n250 AUTH PLAIN"
		case "AUTH":
			d.credentials = strings.TrimPrefix(argument, "PLAIN ")
			answer = "235 welcome"
		case "DATA":
			if conn.PrintfLine("354 go on") != nil {
				return
			}
			text, err := io.ReadAll(conn.DotReader())
			if err != nil {
				return
			}
			if d.message, err = mail.ReadMessage(strings.NewReader(string(text))); err != nil {
				answer = "554 " + err.Error()
				break
			}
			received <- d
		}
	}
}
