/**
 * What the sessions of all transports have in common: the guest's log, the scheduling of a virtqueue on the event loop,
 * and the end of a session whose VMM reads no replies.
 */
package org.vhostuserrng.transport.session;
