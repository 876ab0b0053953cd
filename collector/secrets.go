package collector

import (
	"context"
	"slices"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
)

// `reason` is database_secret, sftp_secret (includes host keys) or superset_secret. The status page names the setting.
var clientConfigurationError = newMetric(greatest, "oms_client_configuration_error",
	"1 if a secret of the client cannot be read or is malformed; absent if all secrets are usable.", "reason")

// Reloaded tells the client its configuration as it was loaded again: one that is Equal. Its deadlines, holidays and limits count from
// then on.
func (c *Client) Reloaded(cfg config.Client) {
	c.mu.Lock()
	c.loaded = cfg
	c.mu.Unlock()
	c.checkSecrets()
}

// SecretFaults are what was wrong with the client's secrets when they were last looked at.
func (c *Client) SecretFaults() []config.SecretFault {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.faults
}

// secretPatience is how long a scrape waits for the secrets: a little longer than for one file that does not answer.
const secretPatience = 3 * time.Second

// lookAtSecrets has checkSecrets told in this scrape or, where many files do not answer, in a later one.
func (c *Client) lookAtSecrets(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, secretPatience)
	defer cancel()
	_, _ = c.secrets.Do(ctx, func(context.Context) (struct{}, error) { // what it finds stays with the client
		c.protect(c.checkSecrets)
		return struct{}{}, nil
	})
}

// checkSecrets looks at the client's secrets, and logs what was not known. The sources read them again too, so one that is put
// right comes into use by itself.
func (c *Client) checkSecrets() {
	c.mu.Lock()
	loaded := c.loaded
	c.mu.Unlock()
	faults := loaded.SecretFaults()
	c.mu.Lock()
	before := c.faults
	c.faults = faults
	c.mu.Unlock()
	for _, f := range faults {
		if !slices.Contains(before, f) {
			c.opts.Logger.Warn("a secret of the client cannot be used", "client", c.cfg.Name, "reason", string(f.Reason), "err", f.Text)
		}
	}
	if len(before) > 0 && len(faults) == 0 {
		c.opts.Logger.Info("all secrets of the client can be used", "client", c.cfg.Name)
	}
}
