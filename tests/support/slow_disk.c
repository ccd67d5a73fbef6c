/* A disk that is slow: files under $SLOW_DISK (a path that ends in a slash) are opened, written and synced so many
   milliseconds later as the file delay.ms there says at that moment; without it, at once. For LD_PRELOAD. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static int delay_ms(const char *folder) {
  char path[512], text[16] = "";
  snprintf(path, sizeof path, "%sdelay.ms", folder);
  int file = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  syscall(SYS_read, file, text, sizeof text - 1);
  syscall(SYS_close, file);
  return atoi(text);
}

static void wait_for(const char *path) {
  const char *folder = getenv("SLOW_DISK");
  if (folder == NULL || strncmp(path, folder, strlen(folder)) != 0) return;
  for (int waited = 0; waited < delay_ms(folder); waited += 10) nanosleep(&(struct timespec){0, 10000000}, NULL);
}

static void wait_for_file(int file) {
  char link[32], path[512] = "";
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  if (readlink(link, path, sizeof path - 1) > 0) wait_for(path);
}

ssize_t write(int file, const void *data, size_t size) {
  wait_for_file(file);
  return syscall(SYS_write, file, data, size);
}

ssize_t writev(int file, const struct iovec *pieces, int count) {
  wait_for_file(file);
  return syscall(SYS_writev, file, pieces, count);
}

ssize_t pwrite64(int file, const void *data, size_t size, off_t at) {
  wait_for_file(file);
  return syscall(SYS_pwrite64, file, data, size, at);
}

int fsync(int file) {
  wait_for_file(file);
  return syscall(SYS_fsync, file);
}

int fdatasync(int file) {
  wait_for_file(file);
  return syscall(SYS_fdatasync, file);
}

int open64(const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  int mode = flags & O_CREAT ? va_arg(more, int) : 0;
  va_end(more);
  if (flags & O_CREAT) wait_for(path);
  return syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}
