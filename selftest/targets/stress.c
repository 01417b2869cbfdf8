// Many threads make calls that can be counted while another process sends numbered signals, to the process and to each
// thread: every call is made once, every signal comes once, in order, with its number. Arguments: threads, the calls of all.
#include "check.h"
#include <pthread.h>

enum { MAX = 64, SIGNALS = 100 }; // signals for each thread, and as many for the process
#define TO_THREAD (SIGRTMIN + 1)
#define TO_PROCESS (SIGRTMIN + 2)

static int threads;
static long times;
static pid_t parent, tids[MAX];
static volatile int started, all_had;
static __thread int self; // from 1
static int had[MAX];      // by a thread
static unsigned char process_had[MAX * SIGNALS];

static void on_thread(int sig, siginfo_t *info, void *uc)
{
	(void)sig;
	(void)uc;
	int saved = errno, thread = info->si_value.sival_int >> 16, number = info->si_value.sival_int & 0xffff;
	EQUAL(info->si_code, SI_QUEUE);
	EQUAL(thread, self);
	EQUAL(number, had[self - 1] + 1);
	had[self - 1] = number;
	errno = saved;
}

static void on_process(int sig, siginfo_t *info, void *uc)
{
	(void)sig;
	(void)uc;
	EQUAL(__atomic_add_fetch(&process_had[info->si_value.sival_int], 1, __ATOMIC_RELAXED), 1);
}

static long number_of_calls(void)
{
	long result;
	__asm__ volatile("syscall" : "=a"(result) : "a"(SYS_getppid) : "rcx", "r11", "memory");
	return result;
}

static void *calls(void *arg)
{
	self = (long)arg;
	tids[self - 1] = syscall(SYS_gettid);
	__atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST);
	while (!all_had)
		rest(1);
	for (long i = 0; i < times; i++)
		EQUAL(number_of_calls(), parent);
	while (__atomic_load_n(&had[self - 1], __ATOMIC_RELAXED) < SIGNALS)
		rest(1);
	return NULL;
}

// queue sends one signal, as often as it takes for the queue to have room.
static void queue(pid_t group, pid_t thread, int sig, int value)
{
	siginfo_t info = {.si_signo = sig, .si_code = SI_QUEUE};
	info.si_value.sival_int = value;
	for (;;) {
		long r = thread ? syscall(SYS_rt_tgsigqueueinfo, group, thread, sig, &info)
				: syscall(SYS_rt_sigqueueinfo, group, sig, &info);
		if (r == 0)
			return;
		EQUAL(errno, EAGAIN);
		rest(1);
	}
}

static void storm(pid_t group)
{
	for (int i = 1; i <= SIGNALS; i++)
		for (int t = 0; t < threads; t++) {
			queue(group, tids[t], TO_THREAD, (t + 1) << 16 | i);
			queue(group, 0, TO_PROCESS, (i - 1) * threads + t);
		}
	_exit(0);
}

int main(int argc, char **argv)
{
	pthread_t t[MAX];
	pid_t self_pid = getpid();
	CHECK(argc == 3);
	threads = atoi(argv[1]);
	times = atol(argv[2]) / threads;
	CHECK(threads <= MAX && times * threads == atol(argv[2]));
	FILE *f = fopen("/proc/self/stat", "r"); // the number of the parent, without the call that is counted
	CHECK(f && fscanf(f, "%*d %*s %*c %d", &parent) == 1);
	fclose(f);
	handle_info(TO_THREAD, on_thread, SA_RESTART);
	handle_info(TO_PROCESS, on_process, SA_RESTART);
	for (long i = 0; i < threads; i++)
		CHECK(pthread_create(&t[i], NULL, calls, (void *)(i + 1)) == 0);
	while (started < threads)
		rest(1);
	pid_t pid = fork();
	if (pid == 0)
		storm(self_pid);
	all_had = 1;
	for (int i = 0; i < threads; i++)
		CHECK(pthread_join(t[i], NULL) == 0);
	EQUAL(ended(pid), 0);
	for (int i = 0; i < threads; i++)
		EQUAL(had[i], SIGNALS);
	for (int i = 0; i < threads * SIGNALS; i++)
		EQUAL(process_had[i], 1);
	puts("stress ok");
}
