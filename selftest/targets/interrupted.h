// Calls that signals interrupt until one of them makes the call ready.
#ifndef INTERRUPTED_H
#define INTERRUPTED_H

#include "check.h"

static volatile int hits;
static void (*finish)(void); // makes the blocked call ready

static void on_alarm(int sig)
{
	int saved = errno;
	(void)sig;
	if (++hits == 3 && finish)
		finish();
	errno = saved;
}

#endif
