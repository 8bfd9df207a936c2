from typing import Any

from django.db import migrations, models

import gatehouse.kernel.clock


def keep_first(apps: Any, schema_editor: Any) -> None:  # noqa: ANN401
    """Of several accounts of one officer the first keeps the id; the later ones decide nothing any more."""
    seen = set()
    for account in apps.get_model('console', 'Account').objects.exclude(officer='').order_by('pk'):
        if account.officer in seen:
            account.officer = ''
            account.save(update_fields=['officer'])
        seen.add(account.officer)


class Migration(migrations.Migration):

    dependencies = [
        ('console', '0006_steps'),
    ]

    operations = [
        migrations.CreateModel(
            name='Proposal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('username', models.CharField(max_length=64, unique=True)),
                ('act', models.CharField(choices=[('make', 'Make the account'), ('change', 'Change its role'), ('open', 'Open it again')], max_length=16)),
                ('name', models.CharField(max_length=200)),
                ('role', models.CharField(choices=[('disclosure_officer', 'Disclosure officer'), ('disclosure_manager', 'Disclosure manager'), ('requester', 'Requesting agency'), ('counsel', 'Counsel'), ('inspector', 'Inspector general or court'), ('auditor', 'Auditor'), ('administrator', 'Account administrator')], max_length=32)),
                ('agency', models.CharField(blank=True, max_length=128)),
                ('officer', models.CharField(blank=True, max_length=128)),
                ('by', models.CharField(max_length=128)),
                ('at', models.DateTimeField(default=gatehouse.kernel.clock.now)),
            ],
        ),
        migrations.RunPython(keep_first, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name='account',
            constraint=models.UniqueConstraint(condition=models.Q(('officer', ''), _negated=True), fields=('officer',), name='one_account_an_officer'),
        ),
    ]
