/**
 * The journal of a session, with which the next process continues the session. All types are confined to the loop's
 * thread.
 */
package org.vhostuserrng.transport.vhostuser.journal;
