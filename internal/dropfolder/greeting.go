package dropfolder

import (
	"bufio"
	"errors"
	"net"
)

// What a server may send before the version string, as OpenSSH has it.
const maxGreetingLines, maxGreetingLine = 1024, 8 << 10

var errNoVersion = errors.New("the server sends something else than the version of SSH: is it an SSH server?")

// greeted is a connection to a server, without the lines before the version string (RFC 4253, 4.2): the library does not take long ones.
type greeted struct {
	net.Conn
	in  *bufio.Reader
	own bool // the version string has begun
}

func newGreeted(conn net.Conn) *greeted {
	return &greeted{Conn: conn, in: bufio.NewReaderSize(conn, maxGreetingLine)}
}

func (g *greeted) Read(b []byte) (int, error) {
	for lines := 0; !g.own; lines++ {
		begin, err := g.in.Peek(len("SSH-"))
		if err != nil {
			return 0, err
		}
		if g.own = string(begin) == "SSH-"; g.own {
			break
		}
		if _, err := g.in.ReadSlice('\n'); lines == maxGreetingLines || errors.Is(err, bufio.ErrBufferFull) {
			return 0, errNoVersion
		} else if err != nil {
			return 0, err
		}
	}
	return g.in.Read(b)
}
