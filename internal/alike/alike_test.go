package alike

import (
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	all := []string{"SYNC_SHOPIFY_INV", "RESET_INVENTORY", "IMP_ORDERS", "MDM_RESET_INV", "RESET_INVENTORY"}
	for name, want := range map[string]string{
		"RESET_INVENTROY": "RESET_INVENTORY MDM_RESET_INV",
		"reset-inventory": "RESET_INVENTORY MDM_RESET_INV",
		"shopify":         "SYNC_SHOPIFY_INV IMP_ORDERS",
		"":                "IMP_ORDERS MDM_RESET_INV",
	} {
		if got := strings.Join(Names(name, all, 2), " "); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if got := Names("A", nil, 2); len(got) != 0 {
		t.Errorf("got %v of nothing", got)
	}
}
