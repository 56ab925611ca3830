/* SPDX-License-Identifier: MIT */
/* A module that uses the exports of another. */

extern int first_count, first_values[4];
int first_add(int a, int b);
int first_word(int n);

static int (*const calls[])(int n) = { first_word, first_word };
static int (*chosen)(int a, int b) = first_add;
int *second_pointer = &first_values[2];

int second_sum(void)
{
	int sum = 0;

	for (int i = 0; i < 8; i++)
		sum += calls[i % 2](i);
	return chosen(sum, *second_pointer * 1000) + first_count * 100000;
}
