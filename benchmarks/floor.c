/* The floor: what it costs to take datagrams out of many sockets and throw them away.

   floor INTERVAL_NS FD... drains the sockets in turn, at that interval, until a line comes on stdin; then prints
   "datagrams octets cpu_nanoseconds", of the draining alone. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SLOTS = 256, SIZE = 2048 };

static struct mmsghdr messages[SLOTS];
static struct iovec targets[SLOTS];
static char octets[SLOTS][SIZE];

static long long cpu_ns(void) {
  struct timespec used;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return used.tv_sec * 1000000000LL + used.tv_nsec;
}

int main(int count, char **arguments) {
  long long received = 0, size = 0, used = 0;
  for (int i = 0; i < SLOTS; i++) {
    targets[i] = (struct iovec){octets[i], SIZE};
    messages[i].msg_hdr = (struct msghdr){.msg_iov = &targets[i], .msg_iovlen = 1};
  }
  int *sockets = calloc(count, sizeof *sockets);
  for (int i = 2; i < count; i++) sockets[i] = atoi(arguments[i]);
  fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);

  long interval = atol(arguments[1]);
  char line;
  for (int last = 0; !last;) {
    nanosleep(&(struct timespec){interval / 1000000000, interval % 1000000000}, NULL);
    last = read(STDIN_FILENO, &line, 1) >= 0;
    long long before = cpu_ns();
    for (int i = 2; i < count; i++) {
      int taken;
      do {
        taken = recvmmsg(sockets[i], messages, SLOTS, MSG_DONTWAIT, NULL);
        for (int k = 0; k < taken; k++) size += messages[k].msg_len;
        received += taken > 0 ? taken : 0;
      } while (taken == SLOTS);
    }
    used += cpu_ns() - before;
  }
  printf("%lld %lld %lld\n", received, size, used);
  return 0;
}
