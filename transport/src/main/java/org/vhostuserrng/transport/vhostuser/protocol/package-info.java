/**
 * The vhost-user document turned into types: constants, one record for each request, the decoder, the framing of
 * messages on a socket. Knows nothing of what a request does.
 *
 * <p>What of the document is there, and what is not and why:
 *
 * <table>
 *   <caption>Front-end requests</caption>
 *   <tr><th>id</th><th>request</th><th>here</th></tr>
 *   <tr><td>1, 2</td><td>GET_FEATURES, SET_FEATURES</td><td>done; a bit that was not offered is refused</td></tr>
 *   <tr><td>3</td><td>SET_OWNER</td><td>done: one front-end at a time is the owner</td></tr>
 *   <tr><td>4</td><td>RESET_OWNER</td><td>done: disables all rings</td></tr>
 *   <tr><td>5</td><td>SET_MEM_TABLE</td><td>done, also while rings run; refused beyond the session's share of the
 * address
 *       space, and for files of a file system that another process or computer provides</td></tr>
 *   <tr><td>6, 7</td><td>SET_LOG_BASE, SET_LOG_FD</td><td>done; the log must be sealed or sealable</td></tr>
 *   <tr><td>8, 9, 10, 11</td><td>SET_VRING_NUM, ADDR, BASE, GET_VRING_BASE</td><td>done</td></tr>
 *   <tr><td>12, 13, 14</td><td>SET_VRING_KICK, CALL, ERR</td><td>done; the descriptor must be an eventfd; without one
 *       the ring is polled each millisecond</td></tr>
 *   <tr><td>15, 16, 17, 18</td><td>GET/SET_PROTOCOL_FEATURES, GET_QUEUE_NUM, SET_VRING_ENABLE</td><td>done</td></tr>
 *   <tr><td>19, 20, 23</td><td>SEND_RARP, NET_SET_MTU, SET_VRING_ENDIAN</td><td>refused: for network devices, and
 *       legacy devices of the other byte order</td></tr>
 *   <tr><td>21</td><td>SET_BACKEND_REQ_FD</td><td>done; the descriptor must be a connected UNIX stream socket</td></tr>
 *   <tr><td>22</td><td>IOTLB_MSG</td><td>done, if VIRTIO_F_ACCESS_PLATFORM was negotiated, which is offered if the
 *       operator says so; always acknowledged</td></tr>
 *   <tr><td>24, 25</td><td>GET_CONFIG, SET_CONFIG</td><td>refused: the device has no configuration (VIRTIO 1.3 §5.4.4)
 *       </td></tr>
 *   <tr><td>26, 27, 33</td><td>crypto sessions, GPU_SET_SOCKET</td><td>refused: other devices</td></tr>
 *   <tr><td>28, 29, 30</td><td>POSTCOPY_*</td><td>refused: a page fault would stop the loop, and with it other guests
 *       </td></tr>
 *   <tr><td>31, 32</td><td>GET_INFLIGHT_FD, SET_INFLIGHT_FD</td><td>done, for both kinds of rings; refused while a ring
 *       is started</td></tr>
 *   <tr><td>34, 39, 40</td><td>RESET_DEVICE, SET_STATUS, GET_STATUS</td><td>done</td></tr>
 *   <tr><td>35</td><td>VRING_KICK</td><td>refused: front-ends take in-band notifications if they are offered, whether
 *       they can or not</td></tr>
 *   <tr><td>36, 37, 38</td><td>GET_MAX_MEM_SLOTS, ADD_MEM_REG, REM_MEM_REG</td><td>done, if the operator says
 * so</td></tr>
 *   <tr><td>41, 44</td><td>GET_SHARED_OBJECT, GET_SHMEM_CONFIG</td><td>refused: the device shares nothing</td></tr>
 *   <tr><td>42, 43</td><td>SET_DEVICE_STATE_FD, CHECK_DEVICE_STATE</td><td>done; the channel is the front-end's and
 * must be
 *       a pipe</td></tr>
 *   <tr><td>45</td><td>GET_VRING_BASE_SKIP_DRAIN</td><td>done; as GET_VRING_BASE, which waits for nothing
 * either</td></tr>
 * </table>
 *
 * <p>What is wrong with a request is acknowledged as such if the front-end asked for that, and ends its session if it
 * did not, or if it would take a refusal for the answer. A header with another version, the reply bit or more than the
 * largest request ends the session in any case, and so do more than 8 descriptors; flags that are reserved are not
 * looked at.
 *
 * <table>
 *   <caption>Back-end requests</caption>
 *   <tr><th>id</th><th>request</th><th>here</th></tr>
 *   <tr><td>1</td><td>IOTLB_MSG</td><td>sent for a miss and for an access failure, without need_reply; dropped while
 *       the front-end does not read</td></tr>
 *   <tr><td>2</td><td>CONFIG_CHANGE_MSG</td><td>never sent: the device has no configuration</td></tr>
 *   <tr><td>3 to 5</td><td>VRING_HOST_NOTIFIER_MSG, VRING_CALL, VRING_ERR</td><td>never sent: there is no register to
 *       map, and notifications are eventfds</td></tr>
 *   <tr><td>6 to 10</td><td>SHARED_OBJECT_*, SHMEM_*</td><td>never sent: the device shares nothing</td></tr>
 * </table>
 *
 * <table>
 *   <caption>Protocol features</caption>
 *   <tr><th>offered</th><td>MQ, LOG_SHMFD, REPLY_ACK, BACKEND_REQ, INFLIGHT_SHMFD, RESET_DEVICE, STATUS, DEVICE_STATE,
 *       GET_VRING_BASE_INFLIGHT, GPA_ADDRESSES, GET_VRING_BASE_SKIP_DRAIN; CONFIGURE_MEM_SLOTS if the operator says
 *       so</td></tr>
 *   <tr><th>not offered</th><td>RARP, MTU, CROSS_ENDIAN, CRYPTO_SESSION, CONFIG, SHARED_OBJECT, SHMEM (other devices);
 *       PAGEFAULT, INBAND_NOTIFICATIONS (see above); HOST_NOTIFIER (there is no register to map); XEN_MMAP (other
 *       hosts); BACKEND_SEND_FD (no request of the back-end has a descriptor)</td></tr>
 * </table>
 */
package org.vhostuserrng.transport.vhostuser.protocol;
