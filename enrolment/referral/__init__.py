"""The pages of a referrer: the referrals of their own partner, and a new one."""
