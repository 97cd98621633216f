/**
 * The vhost-user protocol: constants, one record per request, the decoder, and the message framing on a socket. The
 * package is independent of the meaning of requests.
 *
 * <p>Supported parts of the document, and the reasons for the others:
 *
 * <table>
 *   <caption>Front-end requests</caption>
 *   <tr><th>id</th><th>request</th><th>support</th></tr>
 *   <tr><td>1, 2</td><td>GET_FEATURES, SET_FEATURES</td><td>yes; a bit that was not offered is refused; without
 *       need_reply, no vring starts and further acknowledgements are negative until other features are set</td></tr>
 *   <tr><td>3</td><td>SET_OWNER</td><td>yes: the connected front-end is the owner</td></tr>
 *   <tr><td>4</td><td>RESET_OWNER</td><td>yes: disables all vrings</td></tr>
 *   <tr><td>5</td><td>SET_MEM_TABLE</td><td>yes, also while vrings are started, with up to 32 regions; a region whose
 *       file cannot be mapped is not accessible; refused beyond the session's memory limit; a payload beyond the
 *       last region is ignored</td></tr>
 *   <tr><td>6, 7</td><td>SET_LOG_BASE, SET_LOG_FD</td><td>yes; the log must be sealed or sealable</td></tr>
 *   <tr><td>8, 9, 10, 11</td><td>SET_VRING_NUM, ADDR, BASE, GET_VRING_BASE</td><td>yes; SET_VRING_BASE stops a
 *       vring that is disabled</td></tr>
 *   <tr><td>12, 13, 14</td><td>SET_VRING_KICK, CALL, ERR</td><td>yes; the descriptor is an eventfd, the proper end of
 *       a pipe, or a connected UNIX socket; without a kick descriptor, the vring is polled every millisecond</td></tr>
 *   <tr><td>15, 16, 17, 18</td><td>GET/SET_PROTOCOL_FEATURES, GET_QUEUE_NUM, SET_VRING_ENABLE</td><td>yes</td></tr>
 *   <tr><td>19, 20, 23</td><td>SEND_RARP, NET_SET_MTU, SET_VRING_ENDIAN</td><td>no: network devices, and legacy
 *       devices of the other byte order</td></tr>
 *   <tr><td>21</td><td>SET_BACKEND_REQ_FD</td><td>yes; the descriptor is a connected stream socket or the write end
 *       of a pipe</td></tr>
 *   <tr><td>22</td><td>IOTLB_MSG</td><td>yes, with VIRTIO_F_ACCESS_PLATFORM, which the operator enables; always
 *       acknowledged</td></tr>
 *   <tr><td>24, 25</td><td>GET_CONFIG, SET_CONFIG</td><td>no: the device has no configuration space (VIRTIO 1.3 §5.4.4)
 *       </td></tr>
 *   <tr><td>26, 27, 33</td><td>crypto sessions, GPU_SET_SOCKET</td><td>no: other devices</td></tr>
 *   <tr><td>28, 29, 30</td><td>POSTCOPY_*</td><td>no: a page fault would block the loop, and with it other guests
 *       </td></tr>
 *   <tr><td>31, 32</td><td>GET_INFLIGHT_FD, SET_INFLIGHT_FD</td><td>yes, for both formats; refused while a vring is
 *       started</td></tr>
 *   <tr><td>34, 39, 40</td><td>RESET_DEVICE, SET_STATUS, GET_STATUS</td><td>yes</td></tr>
 *   <tr><td>35</td><td>VRING_KICK</td><td>no: front-ends accept in-band notifications even if they cannot send
 *       them</td></tr>
 *   <tr><td>36, 37, 38</td><td>GET_MAX_MEM_SLOTS, ADD_MEM_REG, REM_MEM_REG</td><td>yes, if the operator enables
 *       it</td></tr>
 *   <tr><td>41, 44</td><td>GET_SHARED_OBJECT, GET_SHMEM_CONFIG</td><td>no: the device shares nothing</td></tr>
 *   <tr><td>42, 43</td><td>SET_DEVICE_STATE_FD, CHECK_DEVICE_STATE</td><td>yes; the front-end must send a
 *       pipe</td></tr>
 *   <tr><td>45</td><td>GET_VRING_BASE_SKIP_DRAIN</td><td>yes; same as GET_VRING_BASE, which does not wait
 *       either</td></tr>
 * </table>
 *
 * <p>SET_MEM_TABLE is the only request whose payload may be longer than its contents, because it contains an array:
 * User Mode Linux always sends room for two regions. All other payloads have a fixed size, and any other size is a
 * violation.
 *
 * <p>An invalid request is refused with a non-zero acknowledgement if the front-end requested one. It ends the session
 * otherwise, or if the front-end would mistake the refusal for a reply. A header with another version, with the reply
 * bit, or with a size above that of the largest request always ends the session, and so do more than 32 descriptors.
 * Reserved flags are ignored.
 *
 * <table>
 *   <caption>Back-end requests</caption>
 *   <tr><th>id</th><th>request</th><th>support</th></tr>
 *   <tr><td>1</td><td>IOTLB_MSG</td><td>sent for a miss and for an access failure, without need_reply; dropped while
 *       the socket is full</td></tr>
 *   <tr><td>2</td><td>CONFIG_CHANGE_MSG</td><td>never sent: the device has no configuration space</td></tr>
 *   <tr><td>3 to 5</td><td>VRING_HOST_NOTIFIER_MSG, VRING_CALL, VRING_ERR</td><td>never sent: there is no register to
 *       map, and notifications use descriptors</td></tr>
 *   <tr><td>6 to 10</td><td>SHARED_OBJECT_*, SHMEM_*</td><td>never sent: the device shares nothing</td></tr>
 * </table>
 *
 * <table>
 *   <caption>Protocol features</caption>
 *   <tr><th>offered</th><td>MQ, LOG_SHMFD, REPLY_ACK, BACKEND_REQ, INFLIGHT_SHMFD, RESET_DEVICE, STATUS, DEVICE_STATE,
 *       GET_VRING_BASE_INFLIGHT, GPA_ADDRESSES, GET_VRING_BASE_SKIP_DRAIN; CONFIGURE_MEM_SLOTS if the operator
 *       enables it</td></tr>
 *   <tr><th>not offered</th><td>RARP, MTU, CROSS_ENDIAN, CRYPTO_SESSION, CONFIG, SHARED_OBJECT, SHMEM (other devices);
 *       PAGEFAULT, INBAND_NOTIFICATIONS (see above); HOST_NOTIFIER (there is no register to map); XEN_MMAP (other
 *       hosts); BACKEND_SEND_FD (no back-end request has a descriptor)</td></tr>
 * </table>
 */
package org.vhostuserrng.transport.vhostuser.protocol;
