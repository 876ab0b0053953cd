package superset

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
)

// distrust says why two sides do not accept each other's certificates, or nothing where that is not what is wrong.
func (a *account) distrust(err error) string {
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "has a certificate of an unknown authority: write the path of a file with its authority as superset.tls.ca_file"
	}
	if name, ok := errors.AsType[x509.HostnameError](err); ok {
		return fmt.Sprintf("has a certificate for another name (%v): correct superset.url, or write the name as superset.tls.server_name", name)
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		return fmt.Sprintf("has a certificate that is not valid (%v): renew it", invalid)
	}
	if alert, ok := errors.AsType[*net.OpError](err); ok && alert.Op == "remote error" && strings.Contains(alert.Err.Error(), "certificate") {
		return fmt.Sprintf("requires a client certificate that it accepts (%v): check cert_file and key_file in superset.tls", alert.Err)
	}
	// In TLS 1.3 the server looks at the client's certificate when the client already sends its request.
	if a.config.TLS != nil && (errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)) {
		return fmt.Sprintf("broke off the connection, maybe because it requires another client certificate (%v): check cert_file and "+
			"key_file in superset.tls", err)
	}
	return ""
}
