/* The floor of waiting: what a client waits for an answer that costs nothing.

   echo FD sends every datagram that comes to a UDP socket back, until it is killed. */

#include <stdlib.h>
#include <sys/socket.h>

int main(int count, char **arguments) {
  static char octets[65536];
  struct sockaddr_storage from;
  if (count != 2) return 2;
  int fd = atoi(arguments[1]);
  for (;;) {
    socklen_t size = sizeof from;
    ssize_t length = recvfrom(fd, octets, sizeof octets, 0, (struct sockaddr *)&from, &size);
    if (length < 0) return 1;
    sendto(fd, octets, length, 0, (struct sockaddr *)&from, size);
  }
}
