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
		synctest.Wait() // the hasty one begins the run
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
		for _, d := range []time.Duration{5, 9, 7} { // the last to join has less time than the patient one
			wg.Go(func() {
				if got, err := f.Do(within(t, d*time.Second), run); got != 9*time.Second || err != nil {
					t.Errorf("deadline after %s, %v", got, err)
				}
			})
			synctest.Wait()
		}
		wg.Wait()
	})
}

// TestFailureOfAPatientRun has a run fail that began with no limit, or with as long a one as its other caller has: another
// run would do no better.
func TestFailureOfAPatientRun(t *testing.T) {
	for _, limit := range []time.Duration{0, 3 * time.Second, 2 * time.Second} { // of the second caller, the first has 3 s
		synctest.Test(t, func(t *testing.T) {
			var f flight.Flight[int]
			runs := 0
			fail := func(context.Context) (int, error) {
				runs++
				time.Sleep(time.Second)
				return 0, errors.New("refused")
			}
			first, second := within(t, 3*time.Second), within(t, limit)
			if limit == 0 {
				first, second = t.Context(), within(t, time.Minute)
			}
			var wg sync.WaitGroup
			for _, ctx := range []context.Context{first, second} {
				wg.Go(func() {
					if _, err := f.Do(ctx, fail); err == nil || err.Error() != "refused" {
						t.Errorf("got %v", err)
					}
				})
				synctest.Wait()
			}
			wg.Wait()
			if runs != 1 {
				t.Errorf("%d runs", runs)
			}
		})
	}
}

type key struct{}

// TestContextOfARun shows that it has the values of the first caller, and ends with the run.
func TestContextOfARun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f flight.Flight[any]
		var kept context.Context
		ctx := context.WithValue(within(t, time.Minute), key{}, "value")
		got, err := f.Do(ctx, func(ctx context.Context) (any, error) {
			kept = ctx
			return ctx.Value(key{}), ctx.Err()
		})
		if got != "value" || err != nil {
			t.Errorf("got %v, %v", got, err)
		}
		synctest.Wait()
		if kept.Err() == nil {
			t.Error("the context outlives its run")
		}
	})
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

func TestRun(t *testing.T) {
	refused := errors.New("refused")
	if err := flight.Run(func() error { return refused }); !errors.Is(err, refused) || flight.Stack(err) != "" {
		t.Errorf("got %v", err)
	}
	var none map[string]int
	err := flight.Run(func() error { none["a"] = 1; return nil })
	if err == nil || err.Error() != "panic: assignment to entry in nil map" || !strings.Contains(flight.Stack(err), "flight_test.go") {
		t.Errorf("got %v", err)
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

// TestThePatientDoNotDecide has a run that never ends by itself, for which somebody waits for two minutes beside scrapes that
// wait for five seconds: one of these is lost, and the patient one has the result of the next.
func TestThePatientDoNotDecide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f flight.Flight[int64]
		var runs atomic.Int64
		dead := true
		scrape := func(patience time.Duration) (int64, error) {
			return f.Do(within(t, patience), func(ctx context.Context) (int64, error) {
				n := runs.Add(1)
				if dead { // the connection, which goes with the run
					dead = false
					<-ctx.Done()
					return n, context.Cause(ctx)
				}
				return answer(new(atomic.Int64), time.Second)(ctx)
			})
		}
		start := time.Now()
		var patient sync.WaitGroup
		patient.Go(func() {
			if n, err := scrape(2 * time.Minute); n == 0 || err != nil || time.Since(start) > 10*time.Second {
				t.Errorf("the patient one: %d, %v after %s", n, err, time.Since(start))
			}
		})
		synctest.Wait()
		for i := range 12 {
			if _, err := scrape(5 * time.Second); (err != nil) != (i == 0) {
				t.Errorf("scrape %d: %v", i, err)
			}
		}
		patient.Wait()
	})
}

// TestThePatientDoNotDecideBelow is the same for two flights whose runs share those of a third: the run that never ends is below
// runs that are replaced. A few scrapes may be lost: their runs may join that run before those which they replace have left it.
func TestThePatientDoNotDecideBelow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var above [2]flight.Flight[int64]
		var below flight.Flight[int64]
		dead := true
		scrape := func(patience time.Duration) error {
			var both sync.WaitGroup
			errs := make([]error, len(above))
			for i := range above {
				both.Go(func() {
					_, errs[i] = above[i].Do(within(t, patience), func(ctx context.Context) (int64, error) {
						return below.Do(ctx, func(ctx context.Context) (int64, error) {
							if dead {
								dead = false
								<-ctx.Done()
								return 0, context.Cause(ctx)
							}
							return 1, nil
						})
					})
				})
			}
			both.Wait()
			return errors.Join(errs...)
		}
		start := time.Now()
		var patient sync.WaitGroup
		patient.Go(func() {
			if err := scrape(2 * time.Minute); err != nil || time.Since(start) > time.Minute {
				t.Errorf("the patient one: %v after %s", err, time.Since(start))
			}
		})
		synctest.Wait()
		for i := range 12 {
			if err := scrape(5 * time.Second); err != nil && i > 9 {
				t.Errorf("scrape %d: %v", i, err)
			}
		}
		patient.Wait()
	})
}

// TestSlowIsNotDead has a run that is too slow for some: it is not replaced before a caller comes who could not have waited as long.
func TestSlowIsNotDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f flight.Flight[int64]
		var runs atomic.Int64
		var wg sync.WaitGroup
		wait := func(patience time.Duration, want error) {
			wg.Go(func() {
				if n, err := f.Do(within(t, patience), answer(&runs, 8*time.Second)); !errors.Is(err, want) || err == nil && n != 1 {
					t.Errorf("with %s: %d, %v", patience, n, err)
				}
			})
			synctest.Wait()
		}
		wait(20*time.Second, nil)
		wait(5*time.Second, context.DeadlineExceeded)
		time.Sleep(5 * time.Second)
		wait(10*time.Second, nil)
		wg.Wait()
	})
}
