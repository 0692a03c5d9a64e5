package login

import "time"

// SetClock stops the clock of a Login.
func SetClock(l *Login, now time.Time) { l.in.now = func() time.Time { return now } }
