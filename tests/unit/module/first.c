/* SPDX-License-Identifier: MIT */
/* A module that another one uses, and whose code and data refer to each other in every way that a compiler knows. */

int first_count;
int first_values[4] = { 3, 1, 4, 1 };
static int *const pointers[] = { &first_values[3], &first_values[2], &first_values[1], &first_values[0] };
static char zeros[5000];

extern int nobody(void) __attribute__((weak));

int first_add(int a, int b)
{
	first_count++;
	return a + b;
}

int first_has_nobody(void)
{
	return nobody != 0;
}

/* A jump table, with compilers that make one. */
int first_word(int n)
{
	switch (n) {
	case 0: return *pointers[0];
	case 1: return zeros[4999]++ + 10;
	case 2: return first_values[n];
	case 3: return first_add(n, n);
	case 4: return "kvmap"[first_count % 5];
	case 5: return first_has_nobody() + 50;
	case 6: return *pointers[n - 3];
	default: return -1;
	}
}
