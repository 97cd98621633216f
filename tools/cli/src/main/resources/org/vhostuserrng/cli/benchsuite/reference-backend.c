/* Reference back-end of bench-suite: a minimal vhost-user entropy device. One thread, epoll, split virtqueues with
 * VIRTIO_F_EVENT_IDX, getrandom(2) directly into guest memory. Not for production: it validates addresses against the
 * memory table but otherwise trusts the guest and the front-end.
 *
 * Usage: reference-backend PATH GUESTS BUSY_POLL_MICROS SOURCE
 * Listens on PATH0 ... PATHN-1, or on PATH if GUESTS is 0. SOURCE is one of
 *   getrandom  getrandom(2)
 *   stream     a non-cryptographic generator, without a system call
 *   none       buffers are left unchanged, to measure the overhead */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { REGIONS = 8, EVENTS = 256, MAX_REQUEST_BYTES = 65536 };
enum { F_EVENT_IDX = 29, F_PROTOCOL_FEATURES = 30, F_VERSION_1 = 32, P_MQ = 0, P_REPLY_ACK = 3 };
enum { DESC_F_NEXT = 1, AVAIL_F_NO_INTERRUPT = 1 };
enum { FLAG_VERSION = 1, FLAG_REPLY = 4, FLAG_NEED_REPLY = 8 };
enum {
  GET_FEATURES = 1, SET_FEATURES = 2, SET_MEM_TABLE = 5, SET_VRING_NUM = 8, SET_VRING_ADDR = 9, SET_VRING_BASE = 10,
  GET_VRING_BASE = 11, SET_VRING_KICK = 12, SET_VRING_CALL = 13, SET_VRING_ERR = 14, GET_PROTOCOL_FEATURES = 15,
  GET_QUEUE_NUM = 17, SET_VRING_ENABLE = 18
};
enum fd_type { LISTENER, SOCKET, KICK, FD_TYPE_MASK }; /* In the low bits of epoll_data; the rest is the guest. */

struct desc { uint64_t addr; uint32_t len; uint16_t flags, next; };
struct avail { uint16_t flags, idx, ring[]; };
struct used_elem { uint32_t id, len; };
struct used { uint16_t flags, idx; struct used_elem ring[]; };
struct region { uint64_t gpa, size, uva, offset; void *map; size_t length; };

struct message {
  uint32_t request, flags, size;
  union {
    uint64_t u64;
    struct { uint32_t index, num; } state;
    struct { uint32_t index, flags; uint64_t desc, used, avail, log; } addr;
    struct { uint32_t count, padding; struct { uint64_t gpa, size, uva, offset; } regions[REGIONS]; } memory;
  } payload;
} __attribute__((packed));

struct guest {
  int listener, socket, kick, call;
  uint64_t features;
  struct region regions[REGIONS];
  int region_count;
  uint32_t size;
  uint16_t next, enabled;
  struct desc *desc;
  struct avail *avail;
  struct used *used;
};

enum source { GETRANDOM, STREAM, NONE };

static int epoll_fd;
static enum source source;
static uint64_t stream_state[4] = {1, 2, 3, 4};
static long busy_poll_nanos;
static struct guest *hot; /* The last guest that was kicked. */

static void die(const char *what) { perror(what); exit(1); }

static void relax(void) {
#ifdef __x86_64__
  __builtin_ia32_pause();
#endif
}

static long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000L + t.tv_nsec;
}

static void watch(int fd, void *guest, enum fd_type type) {
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)(uintptr_t)guest | type};
  if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event)) die("epoll_ctl");
}

static uint64_t rotated(uint64_t x, int by) { return x << by | x >> (64 - by); }

/* xoshiro256**: fast, not cryptographic. */
static void stream(char *to, uint32_t length) {
  uint64_t *s = stream_state;
  for (uint32_t done = 0; done < length; done += 8) {
    uint64_t number = rotated(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotated(s[3], 45);
    memcpy(to + done, &number, length - done < 8 ? length - done : 8);
  }
}

static void from_kernel(char *to, uint32_t length) {
  for (uint32_t done = 0; done < length;) {
    ssize_t got = getrandom(to + done, length - done, 0);
    if (got < 0 && errno != EINTR) die("getrandom");
    if (got > 0) done += got;
  }
}

static void *translate(struct guest *g, uint64_t address, int user) {
  for (int i = 0; i < g->region_count; i++) {
    struct region *r = &g->regions[i];
    uint64_t start = user ? r->uva : r->gpa;
    if (address - start < r->size) return (char *)r->map + r->offset + (address - start);
  }
  fprintf(stderr, "address %lx is not in guest memory\n", address);
  exit(1);
}

static uint32_t serve_chain(struct guest *g, uint16_t head) {
  uint32_t written = 0;
  for (uint16_t i = head;; i = g->desc[i].next) {
    struct desc *d = &g->desc[i];
    uint32_t length = d->len < MAX_REQUEST_BYTES - written ? d->len : MAX_REQUEST_BYTES - written;
    char *to = translate(g, d->addr, 0);
    if (source == GETRANDOM) from_kernel(to, length);
    if (source == STREAM) stream(to, length);
    written += length;
    if (!(d->flags & DESC_F_NEXT)) return written;
  }
}

static uint16_t *used_event(struct guest *g) { return &g->avail->ring[g->size]; }
static uint16_t *avail_event(struct guest *g) { return (uint16_t *)&g->used->ring[g->size]; }

/* Serves all available buffers. Returns whether there were any. */
static int serve(struct guest *g) {
  uint16_t before = g->next;
  for (;;) {
    uint16_t idx = __atomic_load_n(&g->avail->idx, __ATOMIC_ACQUIRE);
    if (idx == g->next) break;
    for (; g->next != idx; g->next++) {
      uint16_t head = g->avail->ring[g->next % g->size];
      struct used_elem *e = &g->used->ring[g->next % g->size];
      e->len = serve_chain(g, head);
      e->id = head;
    }
    uint16_t old = g->used->idx;
    __atomic_store_n(&g->used->idx, g->next, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    int event_idx = g->features >> F_EVENT_IDX & 1;
    int notify = event_idx ? (uint16_t)(g->next - *used_event(g) - 1) < (uint16_t)(g->next - old)
                           : !(g->avail->flags & AVAIL_F_NO_INTERRUPT);
    uint64_t one = 1;
    if (notify && g->call >= 0 && write(g->call, &one, sizeof one) < 0 && errno != EAGAIN) die("call");
  }
  return g->next != before;
}

/* Removed from epoll first: the front-end holds a duplicate, so close(2) alone would leave it registered. */
static void close_kick(struct guest *g) {
  if (g->kick < 0) return;
  epoll_ctl(epoll_fd, EPOLL_CTL_DEL, g->kick, NULL);
  close(g->kick);
}

static void reset(struct guest *g) {
  for (int i = 0; i < g->region_count; i++) munmap(g->regions[i].map, g->regions[i].length);
  close_kick(g);
  if (g->call >= 0) close(g->call);
  if (g->socket >= 0) close(g->socket);
  if (hot == g) hot = NULL;
  *g = (struct guest){.listener = g->listener, .socket = -1, .kick = -1, .call = -1};
}

static void map_memory(struct guest *g, struct message *m, int *fds) {
  g->region_count = m->payload.memory.count;
  for (int i = 0; i < g->region_count; i++) {
    struct region *r = &g->regions[i];
    r->gpa = m->payload.memory.regions[i].gpa;
    r->size = m->payload.memory.regions[i].size;
    r->uva = m->payload.memory.regions[i].uva;
    r->offset = m->payload.memory.regions[i].offset;
    r->length = r->offset + r->size;
    r->map = mmap(NULL, r->length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fds[i], 0);
    if (r->map == MAP_FAILED) die("mmap");
    close(fds[i]);
  }
}

static void reply(struct guest *g, struct message *m, uint32_t size) {
  m->flags = FLAG_VERSION | FLAG_REPLY;
  m->size = size;
  if (send(g->socket, m, 12 + size, MSG_NOSIGNAL) < 0) perror("send");
}

/* Handles one message. Returns 0 if the front-end has disconnected or sent an invalid message. */
static int handle(struct guest *g) {
  struct message m = {0};
  int fds[REGIONS], fd_count = 0;
  char control[CMSG_SPACE(sizeof fds)];
  struct iovec header = {&m, 12};
  struct msghdr msg = {.msg_iov = &header, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  if (recvmsg(g->socket, &msg, MSG_CMSG_CLOEXEC) != 12 || m.size > sizeof m.payload) return 0;
  if (m.size && recv(g->socket, &m.payload, m.size, MSG_WAITALL) != m.size) return 0;
  struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
  if (c && c->cmsg_type == SCM_RIGHTS) {
    fd_count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    memcpy(fds, CMSG_DATA(c), fd_count * sizeof(int));
  }
  int need_reply = m.flags & FLAG_NEED_REPLY;
  switch (m.request) {
    case GET_FEATURES:
      m.payload.u64 = 1ull << F_VERSION_1 | 1ull << F_EVENT_IDX | 1ull << F_PROTOCOL_FEATURES;
      reply(g, &m, 8);
      return 1;
    case SET_FEATURES: g->features = m.payload.u64; break;
    case SET_MEM_TABLE: map_memory(g, &m, fds); break;
    case SET_VRING_NUM: g->size = m.payload.state.num; break;
    case SET_VRING_ADDR:
      g->desc = translate(g, m.payload.addr.desc, 1);
      g->avail = translate(g, m.payload.addr.avail, 1);
      g->used = translate(g, m.payload.addr.used, 1);
      break;
    case SET_VRING_BASE: g->next = m.payload.state.num; break;
    case GET_VRING_BASE:
      m.payload.state.num = g->next;
      g->enabled = 0;
      reply(g, &m, 8);
      return 1;
    case SET_VRING_KICK:
      close_kick(g);
      g->kick = fd_count ? fds[0] : -1;
      if (g->kick >= 0) watch(g->kick, g, KICK);
      break;
    case SET_VRING_CALL:
      if (g->call >= 0) close(g->call);
      g->call = fd_count ? fds[0] : -1;
      break;
    case SET_VRING_ERR: if (fd_count) close(fds[0]); break;
    case GET_PROTOCOL_FEATURES:
      m.payload.u64 = 1 << P_MQ | 1 << P_REPLY_ACK;
      reply(g, &m, 8);
      return 1;
    case GET_QUEUE_NUM:
      m.payload.u64 = 1;
      reply(g, &m, 8);
      return 1;
    case SET_VRING_ENABLE: g->enabled = m.payload.state.num; break;
  }
  if (need_reply) {
    m.payload.u64 = 0;
    reply(g, &m, 8);
  }
  return 1;
}

static void ring(struct guest *g) {
  if (!g->enabled || !g->used) return;
  int event_idx = g->features >> F_EVENT_IDX & 1;
  do {
    serve(g);
    if (event_idx) *avail_event(g) = g->next;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
  } while (__atomic_load_n(&g->avail->idx, __ATOMIC_ACQUIRE) != g->next);
}

/* Polls the ring that was kicked last until it is idle for busy_poll_nanos or another fd is ready. */
static void busy_poll(void) {
  if (!hot || !hot->enabled) return;
  for (long until = now() + busy_poll_nanos; now() < until;) {
    for (int i = 0; i < 64; i++) {
      if (serve(hot)) until = now() + busy_poll_nanos;
      relax();
    }
    struct epoll_event event;
    if (epoll_wait(epoll_fd, &event, 1, 0) > 0 && (event.data.u64 & FD_TYPE_MASK) != KICK) return;
  }
  ring(hot);
  hot = NULL;
}

static enum source source_named(const char *name) {
  if (!strcmp(name, "stream")) return STREAM;
  return strcmp(name, "none") ? GETRANDOM : NONE;
}

static void allow_many_descriptors(void) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

static void listen_on(struct guest *g, const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  unlink(path);
  g->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(g->listener, (struct sockaddr *)&address, sizeof address) || listen(g->listener, 1)) die(path);
  g->socket = g->kick = g->call = -1;
  watch(g->listener, g, LISTENER);
}

int main(int argc, char **argv) {
  if (argc < 5) return 2;
  allow_many_descriptors();
  int guests = atoi(argv[2]);
  busy_poll_nanos = atol(argv[3]) * 1000;
  source = source_named(argv[4]);
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  struct guest *all = calloc(guests ? guests : 1, sizeof *all);
  if (!guests) listen_on(all, argv[1]);
  for (int i = 0; i < guests; i++) {
    char path[108];
    snprintf(path, sizeof path, "%s%d", argv[1], i);
    listen_on(&all[i], path);
  }
  for (;;) {
    if (busy_poll_nanos) busy_poll();
    struct epoll_event events[EVENTS];
    int count = epoll_wait(epoll_fd, events, EVENTS, -1);
    for (int i = 0; i < count; i++) {
      struct guest *g = (struct guest *)(uintptr_t)(events[i].data.u64 & ~(uint64_t)FD_TYPE_MASK);
      uint64_t kicks;
      switch (events[i].data.u64 & FD_TYPE_MASK) {
        case LISTENER:
          if (g->socket >= 0) reset(g);
          g->socket = accept4(g->listener, NULL, NULL, SOCK_CLOEXEC);
          watch(g->socket, g, SOCKET);
          break;
        case SOCKET:
          if (g->socket >= 0 && !handle(g)) reset(g);
          else ring(g);
          break;
        case KICK:
          if (g->kick < 0 || read(g->kick, &kicks, sizeof kicks) < 0) break;
          ring(g);
          hot = g;
          break;
      }
    }
  }
}
