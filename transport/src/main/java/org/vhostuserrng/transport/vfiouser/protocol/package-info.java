/**
 * The vfio-user protocol as types: constants, the negotiation of a version, the framing on a socket. Independent of the
 * meaning of commands.
 *
 * <table>
 *   <caption>Commands of the client</caption>
 *   <tr><th>id</th><th>command</th><th>support</th></tr>
 *   <tr><td>1</td><td>VERSION</td><td>yes, as the first message, once: versions 0.0 and 0.1. Unknown capabilities are
 *       ignored. Another major version, or version data that is not strict JSON, ends the session after an error reply
 *       </td></tr>
 *   <tr><td>2</td><td>DMA_MAP</td><td>yes, also while virtqueues run. Accessible are regions that are readable and
 *       writeable: with a descriptor they are mapped, without one they are accessed by DMA_READ and DMA_WRITE. Others
 *       are recorded, and a virtqueue that uses them breaks. EEXIST for a region that overlaps another one; ENOSPC
 *       beyond max_dma_maps, ENOMEM beyond the memory limit of the guest</td></tr>
 *   <tr><td>3</td><td>DMA_UNMAP</td><td>yes, also while virtqueues run; ENOENT unless a region is exactly the same;
 *       ENOTSUP with flags, which the document does not use. The reply does not wait for a DMA_READ or DMA_WRITE in
 *       flight, which the client may execute or refuse: QEMU executes none while it waits for a reply. The server sends
 *       no further command for that region</td></tr>
 *   <tr><td>4, 5, 7</td><td>DEVICE_GET_INFO, GET_REGION_INFO, GET_IRQ_INFO</td><td>yes: 9 regions, 5 interrupt types,
 *       those of a PCI device. No region can be mapped: the function's registers have side effects</td></tr>
 *   <tr><td>6</td><td>DEVICE_GET_REGION_IO_FDS</td><td>yes; no region has any</td></tr>
 *   <tr><td>8</td><td>DEVICE_SET_IRQS</td><td>yes, for INTx, MSI-X and ERR (which is never triggered): eventfds with
 *       TRIGGER, NONE and BOOL with each action. ENOTSUP for eventfds with MASK or UNMASK, which the document and Linux
 *       define in opposite directions. A message for a vector without an eventfd, or that is masked, stays pending
 *       </td></tr>
 *   <tr><td>9, 10, 15</td><td>REGION_READ, REGION_WRITE, REGION_WRITE_MULTI</td><td>yes, within the bounds of a region
 *       </td></tr>
 *   <tr><td>11, 12</td><td>DMA_READ, DMA_WRITE</td><td>sent by this server, for split virtqueues and buffers in regions
 *       without a descriptor; a packed virtqueue there breaks. At most 32 KiB each, at most max_data_xfer_size of the
 *       client, and only to a client that accepts 64 bytes. One is in flight at a time; the session ends if its reply
 *       does not come within 30 s, or is not for it. An error reply breaks the virtqueue. From the client: ENOTSUP
 *       </td></tr>
 *   <tr><td>13</td><td>DEVICE_RESET</td><td>yes; eventfds and DMA regions stay. The reply does not wait for a DMA_WRITE
 *       in flight, but until then the device status does not read 0</td></tr>
 *   <tr><td>16, 17, 18</td><td>DEVICE_FEATURE, MIG_DATA_READ, MIG_DATA_WRITE</td><td>no (ENOTSUP): the device does not
 *       migrate with vfio-user</td></tr>
 * </table>
 *
 * <p>An invalid command is answered with an errno and has no effect; the session goes on. A message whose header cannot
 * be valid ends the session: a length below 16 or above that of the longest write, a reply without a command, an
 * unknown message type, more than 8 descriptors. A payload of more than 64 KiB is received but not stored; no valid
 * command has one.
 *
 * <p>The document has a server retain the state of the device when a client disconnects. This one does not: the next
 * client may be another virtual machine, and finds the function in its initial state.
 */
package org.vhostuserrng.transport.vfiouser.protocol;
