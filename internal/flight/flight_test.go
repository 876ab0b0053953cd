package flight_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"go.uber.org/goleak"

	"github.com/oms-exporter/oms_exporter/internal/flight"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

// answer is a run that takes d and gives its number.
func answer(runs *atomic.Int64, d time.Duration) func(context.Context) (int64, error) {
	return func(ctx context.Context) (int64, error) {
		n := runs.Add(1)
		select {
		case <-time.After(d):
			return n, nil
		case <-ctx.Done():
			return n, context.Cause(ctx)
		}
	}
}

func TestCallersShareARun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f flight.Flight[int64]
		var runs atomic.Int64
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				if n, err := f.Do(within(t, time.Minute), answer(&runs, time.Second)); n != 1 || err != nil {
					t.Errorf("got %d, %v", n, err)
				}
			})
		}
		wg.Wait()
		if n, err := f.Do(within(t, time.Minute), answer(&runs, time.Second)); n != 2 || err != nil {
			t.Errorf("a run is shared by those who come later: got %d, %v", n, err)
		}
	})
}

func TestEveryCallerKeepsItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f flight.Flight[int64]
		var runs atomic.Int64
		start := time.Now()
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := f.Do(within(t, 3*time.Second), answer(&runs, 10*time.Second))
			if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 3*time.Second {
				t.Errorf("after %s: %v", time.Since(start), err)
			}
		})
		wg.Go(func() {
			n, err := f.Do(within(t, 20*time.Second), answer(&runs, 10*time.Second))
			if n != 1 || err != nil || time.Since(start) != 10*time.Second {
				t.Errorf("after %s: %d, %v", time.Since(start), n, err)
			}
		})
		wg.Wait()
	})
}

func TestLastCallerCancelsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f flight.Flight[int64]
		reason := errors.New("hung up")
		first, leaveFirst := context.WithCancelCause(context.Background())
		second, leaveSecond := context.WithCancelCause(context.Background())
		var cause error
		run := func(ctx context.Context) (int64, error) {
			<-ctx.Done()
			cause = context.Cause(ctx)
			return 0, cause
		}
		var wg sync.WaitGroup
		for _, ctx := range []context.Context{first, second} {
			wg.Go(func() {
				if _, err := f.Do(ctx, run); err == nil {
					t.Error("a caller that hung up got an answer")
				}
			})
		}
		synctest.Wait()
		leaveFirst(errors.New("another reason"))
		synctest.Wait()
		if cause != nil {
			t.Errorf("cancelled while somebody waits: %v", cause)
		}
		leaveSecond(reason)
		synctest.Wait()
		if !errors.Is(cause, reason) {
			t.Errorf("cancelled because of %v", cause)
		}
		wg.Wait()
	})
}

func TestDeadlineIsThatOfTheLastCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f flight.Flight[time.Duration]
		start := time.Now()
		run := func(ctx context.Context) (time.Duration, error) {
			if _, ok := ctx.Deadline(); !ok {
				t.Error("no deadline")
			}
			time.Sleep(time.Second) // the others join
			deadline, _ := ctx.Deadline()
			return deadline.Sub(start), ctx.Err()
		}
		var wg sync.WaitGroup
		for _, d := range []time.Duration{5, 9, 7} {
			wg.Go(func() {
				if got, err := f.Do(within(t, d*time.Second), run); got != 9*time.Second || err != nil {
					t.Errorf("deadline after %s, %v", got, err)
				}
			})
		}
		wg.Wait()
	})
}

type key struct{}

func TestRunHasTheValuesOfTheFirstCaller(t *testing.T) {
	var f flight.Flight[any]
	ctx := context.WithValue(within(t, time.Minute), key{}, "value")
	if got, err := f.Do(ctx, func(ctx context.Context) (any, error) { return ctx.Value(key{}), nil }); got != "value" || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestAbandonedRunDoesNotCatchTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f flight.Flight[string]
		release := make(chan struct{})
		stubborn := func(context.Context) (string, error) { <-release; return "stubborn", nil }
		if _, err := f.Do(within(t, time.Second), stubborn); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		// Its late end must not end the run that came after it either.
		next := func(ctx context.Context) (string, error) {
			close(release)
			time.Sleep(time.Second)
			return "next", ctx.Err()
		}
		never := func(context.Context) (string, error) { return "a third run", nil }
		var wg sync.WaitGroup
		wg.Go(func() {
			if got, err := f.Do(within(t, time.Minute), next); got != "next" || err != nil {
				t.Errorf("got %q, %v", got, err)
			}
		})
		synctest.Wait()
		if got, err := f.Do(within(t, time.Minute), never); got != "next" || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
		wg.Wait()
	})
}

func TestPanicIsAnError(t *testing.T) {
	var f flight.Flight[int]
	_, err := f.Do(within(t, time.Minute), func(context.Context) (int, error) { panic("boom") })
	p, ok := errors.AsType[*flight.PanicError](err)
	if !ok || err.Error() != "panic: boom" || !strings.Contains(string(p.Stack), "flight_test.go") {
		t.Errorf("got %v", err)
	}
	if got, err := f.Do(within(t, time.Minute), func(context.Context) (int, error) { return 7, nil }); got != 7 || err != nil {
		t.Errorf("after a panic: %d, %v", got, err)
	}
}

func TestResultAndErrorMayComeTogether(t *testing.T) {
	var f flight.Flight[int]
	partly := errors.New("partly")
	if got, err := f.Do(within(t, time.Minute), func(context.Context) (int, error) { return 7, partly }); got != 7 || !errors.Is(err, partly) {
		t.Errorf("got %d, %v", got, err)
	}
}

// TestThePatientCallerHasAnotherRun has a run fail of the limit with which it began, while somebody waits who has more time.
func TestThePatientCallerHasAnotherRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f flight.Flight[string]
		runs := 0
		limited := func(ctx context.Context) (string, error) {
			runs++
			limit, _ := ctx.Deadline() // handed on to a server, which heeds nothing else
			select {
			case <-time.After(time.Until(limit)):
				return "", errors.New("the server's limit is over")
			case <-time.After(4 * time.Second):
				return "done", nil
			}
		}
		hasty, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		go func() { _, _ = f.Do(hasty, limited) }()
		synctest.Wait()
		patient, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if got, err := f.Do(patient, limited); got != "done" || err != nil || runs != 2 {
			t.Errorf("got %q and %v after %d runs, want it done by the second", got, err, runs)
		}
	})
}

// TestContextHoldsNoResult keeps the context of a run, as a database driver does with that of its last query: the result
// is not kept with it.
func TestContextHoldsNoResult(t *testing.T) {
	var f flight.Flight[*[1 << 20]byte]
	var kept context.Context
	result, err := f.Do(within(t, time.Minute), func(ctx context.Context) (*[1 << 20]byte, error) {
		kept = ctx
		return new([1 << 20]byte), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	held := weak.Make(result)
	result = nil
	_ = result
	runtime.GC()
	if held.Value() != nil {
		t.Error("the result is still there")
	}
	runtime.KeepAlive(kept)
}
