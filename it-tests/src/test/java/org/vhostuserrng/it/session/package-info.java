/** Sessions as a whole: device state, device status, in-flight region, hostile front-ends. */
package org.vhostuserrng.it.session;
