/**
 * The session of a vhost-user front-end. {@link org.vhostuserrng.transport.vhostuser.session.VhostUserSession} receives
 * messages and sends replies, {@link org.vhostuserrng.transport.vhostuser.session.FrontendRequestHandler} executes the
 * requests, {@link org.vhostuserrng.transport.vhostuser.session.Vring} schedules a virtqueue,
 * {@link org.vhostuserrng.transport.vhostuser.session.VringLifecycle} starts and stops it. The state is in
 * {@link org.vhostuserrng.transport.vhostuser.session.SessionState} and in one
 * {@link org.vhostuserrng.transport.vhostuser.session.VringConfig} per vring. Each of these classes refers only to
 * later ones in this list.
 *
 * <p>All classes are confined to the loop's thread. The package uses the loop only through
 * {@link org.vhostuserrng.transport.loop.EventScheduler}.
 */
package org.vhostuserrng.transport.vhostuser.session;
