// Vector and floating-point state comes back from a system call bit for bit: xmm, the upper halves of ymm, zmm and mask
// registers where the CPU has them, mxcsr, the x87 control word and stack.
#include "text.h"
#include <cpuid.h>

static uint8_t in[32][64] __attribute__((aligned(64))), out[32][64] __attribute__((aligned(64)));
static uint64_t masks_in[8], masks_out[8];
static double x87_in = 1234.5678, x87_out;

// SITE defines a function that loads in with load, makes the call nr at a site of the given text, and stores to out with store.
#define SITE(name, load, text, store) \
	__attribute__((noinline)) static long name(long nr, long a, long b, long c) \
	{ \
		long result; \
		register long r10 __asm__("r10") = 8; \
		__asm__ volatile("lea %[in], %%rbx\n" load \
				 text \
				 "lea %[out], %%rbx\n" store \
				 : "=a"(result), [out] "+m"(out), "+m"(masks_out) \
				 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), [in] "m"(in), "m"(masks_in) \
				 : "rbx", "rcx", "r11", "memory"); \
		return result; \
	}

#define EACH16(x) x(0) x(1) x(2) x(3) x(4) x(5) x(6) x(7) x(8) x(9) x(10) x(11) x(12) x(13) x(14) x(15)
#define UPPER16(x) x(16) x(17) x(18) x(19) x(20) x(21) x(22) x(23) x(24) x(25) x(26) x(27) x(28) x(29) x(30) x(31)
#define EACH8(x) x(0) x(1) x(2) x(3) x(4) x(5) x(6) x(7)
#define XL(n) "movups " #n "*64(%%rbx), %%xmm" #n "\n"
#define XS(n) "movups %%xmm" #n ", " #n "*64(%%rbx)\n"
#define YL(n) "vmovups " #n "*64(%%rbx), %%ymm" #n "\n"
#define YS(n) "vmovups %%ymm" #n ", " #n "*64(%%rbx)\n"
#define ZL(n) "vmovups " #n "*64(%%rbx), %%zmm" #n "\n"
#define ZS(n) "vmovups %%zmm" #n ", " #n "*64(%%rbx)\n"
#define KL(n) "kmovq masks_in+" #n "*8(%%rip), %%k" #n "\n"
#define KS(n) "kmovq %%k" #n ", masks_out+" #n "*8(%%rip)\n"

typedef long site(long nr, long a, long b, long c);

// SITES defines three: with no room near, with room behind, with room before.
#define SITES(name, load, store) \
	SITE(name##_plain, load, "syscall\n", store) \
	SITE(name##_behind, load, "syscall\n" ROOM, store) \
	SITE(name##_before, load, ROOM "syscall\n", store) \
	static site *const name[] = {name##_plain, name##_behind, name##_before};

SITES(with_xmm, EACH16(XL), EACH16(XS))
SITES(with_ymm, EACH16(YL), EACH16(YS) "vzeroupper\n")
SITES(with_zmm, EACH16(ZL) UPPER16(ZL) EACH8(KL), EACH16(ZS) UPPER16(ZS) EACH8(KS) "vzeroupper\n")

// with_x87 keeps a value on the x87 stack, and odd control words, over the call.
__attribute__((noinline)) static long with_x87(long nr, long a, long b, long c)
{
	static const uint16_t control_in = 0x0e7f; // round to zero, double precision
	static const uint32_t mxcsr_in = 0xdfa0;   // flush to zero, round to zero, denormal flags
	uint16_t control_old, control_out;
	uint32_t mxcsr_old, mxcsr_out;
	long result;
	register long r10 __asm__("r10") = 8;
	__asm__ volatile("fnstcw %[co]\nstmxcsr %[mo]\nfldcw %[ci]\nldmxcsr %[mi]\nfldl %[xi]\n"
			 "syscall\n" ROOM
			 "fstpl %[xo]\nfnstcw %[cr]\nstmxcsr %[mr]\nfldcw %[co]\nldmxcsr %[mo]\n"
			 : "=a"(result), [co] "=m"(control_old), [mo] "=m"(mxcsr_old), [cr] "=m"(control_out), [mr] "=m"(mxcsr_out), [xo] "=m"(x87_out)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), [ci] "m"(control_in), [mi] "m"(mxcsr_in), [xi] "m"(x87_in)
			 : "rcx", "r11", "memory");
	EQUAL(control_out, control_in);
	EQUAL(mxcsr_out, mxcsr_in);
	CHECK(x87_out == x87_in);
	return result;
}

static void fill(int round)
{
	for (size_t i = 0; i < sizeof in; i++)
		(&in[0][0])[i] = i * 7 + round * 13 + 1;
	for (int i = 0; i < 8; i++)
		masks_in[i] = 0x9241a5c30f1e2d4b * (round * 8 + i + 1);
	memset(out, 0, sizeof out);
	memset(masks_out, 0, sizeof masks_out);
}

static void compare(const char *kind, int registers, int width, long nr)
{
	for (int i = 0; i < registers; i++)
		for (int k = 0; k < width; k++)
			if (in[i][k] != out[i][k])
				FAIL("%s%d byte %d after call %ld: was %#x, is %#x", kind, i, k, nr, in[i][k], out[i][k]);
}

static const struct {
	long nr, a, b, c;
} calls[] = {
	{SYS_getpid, 0, 0, 0},
	{SYS_sched_yield, 0, 0, 0},
	{SYS_rt_sigprocmask, SIG_BLOCK, 0, 0},
	{SYS_rt_sigaction, SIGUSR1, 0, 0},
	{SYS_open, 0, 0, 0},
	{SYS_write, 1, 8, 4},
	{SYS_execve, 8, 0, 0},
	{SYS_munmap, 1, 1, 0},
	{SYS_wait4, -1, 0, WNOHANG},
};

// cpu_state is the set of register states the kernel has enabled: XCR0, Intel SDM volume 1, section 13.3.
static uint32_t cpu_state(void)
{
	uint32_t a, b, c, d;
	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
		return 3;
	__asm__("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
	return a;
}

int main(void)
{
	uint32_t a, b = 0, c, d, state = cpu_state();
	__get_cpuid_count(7, 0, &a, &b, &c, &d);
	int has_ymm = (state & 6) == 6, has_zmm = (state & 0xe6) == 0xe6 && (b & bit_AVX512F) && (b & bit_AVX512BW);
	for (int round = 0; round < 50; round++)
		for (size_t i = 0; i < sizeof calls / sizeof *calls * 3; i++) {
			long nr = calls[i / 3].nr, x = calls[i / 3].a, y = calls[i / 3].b, z = calls[i / 3].c;
			fill(round);
			with_xmm[i % 3](nr, x, y, z);
			compare("xmm", 16, 16, nr);
			fill(round + 1);
			if (has_ymm) {
				with_ymm[i % 3](nr, x, y, z);
				compare("ymm", 16, 32, nr);
			}
			fill(round + 2);
			if (has_zmm) {
				with_zmm[i % 3](nr, x, y, z);
				compare("zmm", 32, 64, nr);
				for (int k = 0; k < 8; k++)
					EQUAL(masks_out[k], masks_in[k]);
			}
			with_x87(nr, x, y, z);
		}
	puts("vectors ok");
}
