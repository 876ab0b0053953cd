package dropfolder

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"slices"

	"github.com/oms-exporter/oms_exporter/internal/config"
)

// The packets of SFTP version 3 (draft-ietf-secsh-filexfer-02) that looking and reading needs.
const (
	fxInit    byte = 1
	fxVersion byte = 2
	fxOpen    byte = 3
	fxClose   byte = 4
	fxRead    byte = 5
	fxFstat   byte = 8
	fxOpendir byte = 11
	fxReaddir byte = 12
	fxStat    byte = 17
	fxStatus  byte = 101
	fxHandle  byte = 102
	fxData    byte = 103
	fxName    byte = 104
	fxAttrs   byte = 105
)

const (
	sftpVersion = 3
	// maxPacket is how long an answer may be, as OpenSSH has it. maxChunk is what every server reads at once.
	maxPacket = 256 << 10
	maxChunk  = 32 << 10
	// maxWords is how much is shown of what a server says about an error.
	maxWords = 300
)

// errEnd: the folder has no more entries, or the file no more bytes.
var errEnd = errors.New("the end is reached")

// answerError is a server's refusal of one request. The next one can be sent all the same, unlike after other errors.
type answerError string

func (e answerError) Error() string { return string(e) }

// session is an SFTP session, in which one request follows another. The library's client holds all entries of a folder,
// however many there are, takes a size that the server does not tell for 0, and reads in a goroutine of its own.
type session struct {
	r      io.Reader
	w      io.Writer
	id     uint32 // of the last request
	answer []byte // to it
	broken error  // why nothing more can be asked
}

func newSession(r io.Reader, w io.Writer) (*session, error) {
	s := &session{r: r, w: w}
	kind, rest, err := s.exchange(fxInit, marshal(uint32(sftpVersion)))
	if err != nil {
		return nil, err
	}
	p := parser{rest: rest}
	if version := p.uint32(); kind != fxVersion || p.short || version != sftpVersion {
		return nil, fmt.Errorf("the server does not speak version %d of SFTP", sftpVersion)
	}
	return s, nil
}

// entry is a file, folder or something else, as the server describes it.
type entry struct {
	name string
	size int64 // -1 where the server does not tell it, or tells one that no file has
	// modified is in Unix seconds, 0 where the server does not tell it.
	modified              int64
	regular, link, folder bool
}

func (s *session) openFolder(path string) (handle string, err error) { return s.open(fxOpendir, path) }

func (s *session) openFile(path string) (handle string, err error) {
	const toRead, noAttributes = uint32(1), uint32(0)
	return s.open(fxOpen, path, toRead, noAttributes)
}

func (s *session) open(kind byte, args ...any) (handle string, err error) {
	p, err := s.ask(kind, fxHandle, args...)
	if err != nil {
		return "", err
	}
	handle = p.string()
	return handle, s.check(p)
}

func (s *session) close(handle string) error {
	_, err := s.ask(fxClose, fxStatus, handle)
	return err
}

// stat describes what a path leads to.
func (s *session) stat(path string) (entry, error) { return s.describe(fxStat, path) }

// fstat describes an open file.
func (s *session) fstat(handle string) (entry, error) { return s.describe(fxFstat, handle) }

func (s *session) describe(kind byte, what string) (entry, error) {
	p, err := s.ask(kind, fxAttrs, what)
	if err != nil {
		return entry{}, err
	}
	e := p.attributes()
	return e, s.check(p)
}

// readFolder calls fn for the next entries of a folder, and returns how many bytes their listing has. fn must not use the session.
func (s *session) readFolder(handle string, fn func(entry)) (size int, err error) {
	p, err := s.ask(fxReaddir, fxName, handle)
	if err != nil {
		return 0, err
	}
	size = len(s.answer)
	for n := p.uint32(); n > 0 && !p.short; n-- {
		name := p.string()
		p.bytes() // as ls -l shows it
		e := p.attributes()
		if e.name = name; !p.short && name != "." && name != ".." {
			fn(e)
		}
	}
	return size, s.check(p)
}

// readAt fills b. It is errEnd where the file ends before that.
func (s *session) readAt(handle string, b []byte, offset int64) error {
	for len(b) > 0 {
		p, err := s.ask(fxRead, fxData, handle, uint64(offset), uint32(min(len(b), maxChunk))) //nolint:gosec // neither is negative
		if err != nil {
			return err
		}
		data := p.bytes()
		if len(data) == 0 || len(data) > len(b) {
			return s.fail(fmt.Errorf("the server answers a read with %d bytes", len(data)))
		}
		n := copy(b, data)
		b, offset = b[n:], offset+int64(n)
	}
	return nil
}

// ask sends a request and returns the answer, if it is of the kind that is wanted.
func (s *session) ask(kind, want byte, args ...any) (parser, error) {
	if s.broken != nil {
		return parser{}, s.broken
	}
	s.id++
	got, rest, err := s.exchange(kind, marshal(append([]any{s.id}, args...)...))
	if err != nil {
		return parser{}, s.fail(err)
	}
	p := parser{rest: rest}
	id := p.uint32()
	switch {
	case p.short || id != s.id:
		return parser{}, s.fail(errors.New("the server answers another request than was sent"))
	case got == fxStatus:
		return p, s.status(p, want)
	case got != want:
		return parser{}, s.fail(fmt.Errorf("the server answers with a packet of type %d, not %d", got, want))
	}
	return p, nil
}

// status returns the error that a status stands for. Success is one where something else was asked for.
func (s *session) status(p parser, want byte) error {
	const success, end, noSuchFile, permissionDenied = 0, 1, 2, 3
	code, words := p.uint32(), p.bytes() // old servers send no words
	switch {
	case code == success && want == fxStatus:
		return nil
	case code == end:
		return errEnd
	case code == noSuchFile:
		return fs.ErrNotExist
	case code == permissionDenied:
		return fs.ErrPermission
	}
	return answerError(fmt.Sprintf(`the server answers "%s" (SFTP status %d)`, config.Brief(string(words), maxWords), code))
}

// fail notes that nothing more can be asked.
func (s *session) fail(err error) error {
	s.broken = err
	return err
}

// check fails where an answer ends before all that it should hold.
func (s *session) check(p parser) error {
	if p.short {
		return s.fail(errors.New("the server's answer is cut off"))
	}
	return nil
}

// exchange sends a packet and returns the next one, which the one after that overwrites.
func (s *session) exchange(kind byte, body []byte) (answer byte, rest []byte, err error) {
	packet := binary.BigEndian.AppendUint32(nil, uint32(1+len(body))) //nolint:gosec // paths are short
	if _, err := s.w.Write(slices.Concat(packet, []byte{kind}, body)); err != nil {
		return 0, nil, fmt.Errorf("the connection is lost: %w", err)
	}
	var length [4]byte
	if _, err := io.ReadFull(s.r, length[:]); err != nil {
		return 0, nil, fmt.Errorf("the connection is lost: %w", err)
	}
	n := binary.BigEndian.Uint32(length[:])
	if n == 0 || n > maxPacket {
		return 0, nil, fmt.Errorf("the server's answer has %d bytes", n)
	}
	s.answer = slices.Grow(s.answer[:0], int(n))[:n]
	if _, err := io.ReadFull(s.r, s.answer); err != nil {
		return 0, nil, fmt.Errorf("the connection is lost: %w", err)
	}
	return s.answer[0], s.answer[1:], nil
}

func marshal(args ...any) []byte {
	var b []byte
	for _, arg := range args {
		switch v := arg.(type) {
		case uint32:
			b = binary.BigEndian.AppendUint32(b, v)
		case uint64:
			b = binary.BigEndian.AppendUint64(b, v)
		case string:
			b = append(binary.BigEndian.AppendUint32(b, uint32(len(v))), v...) //nolint:gosec // paths are short
		}
	}
	return b
}

// parser takes values off an answer. What is not there is nothing, and makes it short.
type parser struct {
	rest  []byte
	short bool
}

func (p *parser) take(n uint32) []byte {
	if p.short = p.short || uint64(n) > uint64(len(p.rest)); p.short {
		return nil
	}
	taken := p.rest[:n]
	p.rest = p.rest[n:]
	return taken
}

func (p *parser) uint32() uint32 {
	if b := p.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (p *parser) uint64() uint64 { return uint64(p.uint32())<<32 | uint64(p.uint32()) }

func (p *parser) bytes() []byte { return p.take(p.uint32()) }

func (p *parser) string() string { return string(p.bytes()) }

// attributes takes a file's attributes.
func (p *parser) attributes() entry {
	const hasSize, hasOwner, hasMode, hasTimes, hasMore = 1, 2, 4, 8, 1 << 31
	const kind, regular, link, folder = 0o170000, 0o100000, 0o120000, 0o040000
	flags, e, mode := p.uint32(), entry{size: -1}, uint32(0)
	if flags&hasSize != 0 {
		if size := p.uint64(); size <= math.MaxInt64 {
			e.size = int64(size)
		}
	}
	if flags&hasOwner != 0 {
		p.take(8)
	}
	if flags&hasMode != 0 {
		mode = p.uint32()
	}
	if flags&hasTimes != 0 {
		p.take(4) // of the last access
		e.modified = int64(p.uint32())
	}
	if flags&hasMore != 0 {
		for n := p.uint32(); n > 0 && !p.short; n-- {
			p.bytes()
			p.bytes()
		}
	}
	// Where the server does not tell the kind, it is taken for a file.
	e.regular, e.link, e.folder = mode&kind == regular || mode&kind == 0, mode&kind == link, mode&kind == folder
	return e
}
