import django.db.models.deletion
from django.db import migrations, models

import gatehouse.kernel.clock


class Migration(migrations.Migration):

    dependencies = [
        ('console', '0005_calls'),
    ]

    operations = [
        migrations.CreateModel(
            name='Step',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('identifier', models.CharField(max_length=64, unique=True)),
                ('kind', models.CharField(choices=[('decision', 'Decision'), ('recall', 'Recall'), ('halt', 'Halt'), ('order', 'Order')], max_length=16)),
                ('docket', models.CharField(blank=True, max_length=128)),
                ('told', models.JSONField(default=dict)),
                ('selection', models.TextField(blank=True)),
                ('sample', models.CharField(blank=True, db_index=True, max_length=128)),
                ('exact', models.TextField(blank=True)),
                ('exact_at', models.DateTimeField(null=True)),
                ('done_at', models.DateTimeField(null=True)),
                ('at', models.DateTimeField(default=gatehouse.kernel.clock.now)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='console.account')),
            ],
        ),
        migrations.CreateModel(
            name='Mark',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sample', models.CharField(max_length=128)),
                ('seq', models.BigIntegerField()),
                ('wrong', models.BooleanField()),
                ('at', models.DateTimeField(default=gatehouse.kernel.clock.now)),
            ],
            options={'constraints': [models.UniqueConstraint(fields=('sample', 'seq'), name='one_mark_a_case')]},
        ),
    ]
